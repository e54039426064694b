//! Keys and certificates of one control plane.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256, RsaKeySize,
};

use crate::places;

/// The files with keys and certificates, below the directory of a control plane.
#[derive(Clone, Debug)]
pub(crate) struct Files {
    directory: PathBuf,
}

impl Files {
    pub(crate) fn below(directory: &Path) -> Self {
        Self {
            directory: directory.join("pki"),
        }
    }

    /// The authority that signed the API server's certificate and the users'.
    pub(crate) fn authority(&self) -> PathBuf {
        self.directory.join("ca.crt")
    }

    fn authority_key(&self) -> PathBuf {
        self.directory.join("ca.key")
    }

    pub(crate) fn server(&self) -> PathBuf {
        self.directory.join("kube-apiserver.crt")
    }

    pub(crate) fn server_key(&self) -> PathBuf {
        self.directory.join("kube-apiserver.key")
    }

    /// Signs the tokens of service accounts.
    pub(crate) fn service_account_key(&self) -> PathBuf {
        self.directory.join("service-accounts.key")
    }

    /// Checks them.
    pub(crate) fn service_account_public_key(&self) -> PathBuf {
        self.directory.join("service-accounts.pub")
    }

    /// Makes what is missing. What is there stays, so that a control plane that is started again accepts its users.
    pub(crate) fn ensure(&self) -> Result<()> {
        // Written last.
        if self.service_account_key().exists() {
            return Ok(());
        }
        places::create_directory(&self.directory)?;
        self.make()
            .context("The control plane's certificates could not be made.")
    }

    fn make(&self) -> Result<()> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        places::write(&self.authority_key(), &key.serialize_pem())?;
        let parameters = authority_parameters()?;
        places::write(&self.authority(), &parameters.self_signed(&key)?.pem())?;
        let authority = Issuer::new(parameters, key);

        let names = ["localhost", "127.0.0.1", "kubernetes.default.svc"];
        let mut server = CertificateParams::new(names.map(str::to_owned))?;
        server
            .distinguished_name
            .push(DnType::CommonName, "kube-apiserver");
        server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let server_key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        places::write(&self.server(), &server.signed_by(&server_key, &authority)?.pem())?;
        places::write(&self.server_key(), &server_key.serialize_pem())?;

        let service_accounts = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        places::write(
            &self.service_account_public_key(),
            &service_accounts.public_key_pem(),
        )?;
        places::write(&self.service_account_key(), &service_accounts.serialize_pem())
    }

    /// Writes a certificate and its key for a user: the API server takes the common name as the user's name and the
    /// organization as a group. The key is RSA, because the Java clients in Flink cannot read others.
    pub(crate) fn user(&self, user: &str, group: Option<&str>, certificate: &Path, key: &Path) -> Result<()> {
        let read = std::fs::read_to_string(self.authority_key());
        let authority_key = read.context("The control plane's authority has no key.")?;
        let authority = Issuer::new(authority_parameters()?, KeyPair::from_pem(&authority_key)?);
        let mut parameters = CertificateParams::new(Vec::new())?;
        parameters.distinguished_name.push(DnType::CommonName, user);
        if let Some(group) = group {
            parameters
                .distinguished_name
                .push(DnType::OrganizationName, group);
        }
        parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let user_key = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048)?;
        places::write(certificate, &parameters.signed_by(&user_key, &authority)?.pem())?;
        places::write(key, &user_key.serialize_pem())
    }
}

fn authority_parameters() -> Result<CertificateParams> {
    let mut parameters = CertificateParams::new(Vec::new())?;
    parameters
        .distinguished_name
        .push(DnType::CommonName, "Sluice's tests");
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok(parameters)
}
