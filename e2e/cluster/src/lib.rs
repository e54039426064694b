//! A real etcd and a real kube-apiserver on this machine, for tests and development.
