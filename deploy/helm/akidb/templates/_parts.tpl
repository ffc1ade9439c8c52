{{- define "akidb.labels" -}}
app.kubernetes.io/name: akidb
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "akidb.server" -}}
{{ include "akidb.labels" . }}
app.kubernetes.io/component: server
{{- end }}

{{- define "akidb.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{- define "akidb.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
fsGroupChangePolicy: OnRootMismatch
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "akidb.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{- define "akidb.scheme" -}}
{{ if .Values.tls.insecure }}http{{ else }}https{{ end }}
{{- end }}

{{- define "akidb.settings" -}}
{{- $own := dict
  "server" (dict "host" "0.0.0.0" "rest_port" 8080 "grpc_port" 9090)
  "metrics" (dict "host" "0.0.0.0" "port" 9091)
  "storage" (dict "data_dir" "/var/lib/akidb")
  "logging" (dict "format" "json")
  "drain" (dict "min_ms" 5000 "max_ms" 25000) }}
{{- if .Values.tls.insecure }}
{{- $_ := set (get $own "server") "insecure_i_understand" true }}
{{- else }}
{{- $_ := set $own "auth" (dict "enabled" "true") }}
{{- $_ := set $own "tls" (dict "certificate_file" "/run/secrets/akidb/tls/tls.crt" "key_file" "/run/secrets/akidb/tls/tls.key") }}
{{- end }}
{{- if .Values.backup.enabled }}
{{- $_ := set $own "s3" (dict "endpoint" .Values.s3.endpoint "region" .Values.s3.region "addressing" .Values.s3.addressing "credentials_file" "/run/secrets/akidb/s3/credentials") }}
{{- end }}
{{- range $section, $keys := mergeOverwrite (deepCopy .Values.settings) $own }}
[{{ $section }}]
{{- range $key, $value := $keys }}
{{ $key }} = {{ $value | toJson }}
{{- end }}
{{ end }}
{{- end }}

{{/* What a verb that reads backups itself says of S3. */}}
{{- define "akidb.s3Arguments" -}}
{{- with .Values.s3.endpoint }}
- --endpoint={{ . }}
{{- end }}
- --region={{ .Values.s3.region }}
- --addressing={{ .Values.s3.addressing }}
- --credentials-file=/run/secrets/akidb/s3/credentials
{{- end }}

{{- define "akidb.s3Volume" -}}
- name: s3
  secret: {secretName: {{ .Values.s3.secretName }}, defaultMode: 0440}
{{- end }}

{{- define "akidb.jobResources" -}}
requests: {cpu: 500m, memory: 1Gi}
limits: {cpu: "2", memory: 1Gi}
{{- end }}
