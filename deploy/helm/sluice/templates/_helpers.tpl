{{/* The name of everything in the namespace of the release. */}}
{{- define "sluice.fullname" -}}
{{- $name := default "sluice-operator" .Values.nameOverride -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" -}}
{{- else if contains .Release.Name $name -}}
{{- $name | trunc 50 | trimSuffix "-" -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* The name of what belongs to the whole cluster: two releases may have the same name in two namespaces. */}}
{{- define "sluice.clusterName" -}}
{{- printf "%s-%s" (include "sluice.fullname" .) .Release.Namespace -}}
{{- end -}}

{{- define "sluice.selectorLabels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "sluice.labels" -}}
{{ include "sluice.selectorLabels" . }}
app.kubernetes.io/component: operator
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "sluice.serviceAccountName" -}}
{{- if .Values.operatorServiceAccount.create -}}
{{- default (include "sluice.fullname" .) .Values.operatorServiceAccount.name -}}
{{- else -}}
{{- default "default" .Values.operatorServiceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "sluice.leaseName" -}}
{{- default (include "sluice.fullname" .) .Values.leaderElection.leaseName -}}
{{- end -}}

{{- define "sluice.image" -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) -}}
{{- end -}}
{{- end -}}

{{/* A label selector of Kubernetes' objects, as the text that command lines take. */}}
{{- define "sluice.selectorText" -}}
{{- $parts := list -}}
{{- range $key, $value := .matchLabels -}}
{{- $parts = append $parts (printf "%s=%s" $key $value) -}}
{{- end -}}
{{- range .matchExpressions -}}
{{- if eq .operator "In" -}}
{{- $parts = append $parts (printf "%s in (%s)" .key (join "," .values)) -}}
{{- else if eq .operator "NotIn" -}}
{{- $parts = append $parts (printf "%s notin (%s)" .key (join "," .values)) -}}
{{- else if eq .operator "Exists" -}}
{{- $parts = append $parts .key -}}
{{- else -}}
{{- $parts = append $parts (printf "!%s" .key) -}}
{{- end -}}
{{- end -}}
{{- join "," $parts -}}
{{- end -}}

{{/* The defaults of spec.configuration, as the file that the operator reads. */}}
{{- define "sluice.defaults" -}}
{{- $given := index .Values.defaultConfiguration "config.yaml" -}}
{{- if kindIs "string" $given -}}
{{- $given -}}
{{- else -}}
{{- toYaml (default dict $given) -}}
{{- end -}}
{{- end -}}

{{/* What the operator does in a namespace that it watches. docs/install.md says why, verb by verb. */}}
{{- define "sluice.operatorRules" -}}
- apiGroups: [flink.apache.org]
  resources: [flinkbluegreendeployments]
  verbs: [get, list, watch]
- apiGroups: [flink.apache.org]
  resources: [flinkbluegreendeployments/status]
  verbs: [update]
{{- if .Values.rbac.ownerReferencesPermissionEnforcement }}
- apiGroups: [flink.apache.org]
  resources: [flinkbluegreendeployments/finalizers]
  verbs: [update]
{{- end }}
- apiGroups: [flink.apache.org]
  resources: [flinkdeployments]
  verbs: [get, list, watch, create, update, delete]
- apiGroups: [networking.k8s.io]
  resources: [ingresses]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create]
{{- if eq .Values.flinkDeployments "managed" }}
- apiGroups: [flink.apache.org]
  resources: [flinkdeployments]
  verbs: [patch]
- apiGroups: [flink.apache.org]
  resources: [flinkdeployments/status]
  verbs: [update]
{{- if .Values.rbac.ownerReferencesPermissionEnforcement }}
- apiGroups: [flink.apache.org]
  resources: [flinkdeployments/finalizers]
  verbs: [update]
{{- end }}
- apiGroups: [apps]
  resources: [deployments]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [""]
  resources: [pods]
  verbs: [list, watch, patch, delete]
- apiGroups: [""]
  resources: [services]
  verbs: [create, patch]
- apiGroups: [""]
  resources: [configmaps]
  verbs: [get, list, create, patch, delete]
{{- end }}
{{- end -}}

{{/* What Flink's JobManager does with native Kubernetes and with Kubernetes' high availability, as upstream's chart has it. */}}
{{- define "sluice.jobRules" -}}
- apiGroups: [""]
  resources: [pods, configmaps]
  verbs: ["*"]
- apiGroups: [apps]
  resources: [deployments, deployments/finalizers]
  verbs: ["*"]
{{- end -}}
