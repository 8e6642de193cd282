{{- define "aether.labels" -}}
app.kubernetes.io/name: aether
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "aether.selector" -}}
app.kubernetes.io/name: aether
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: platform
{{- end }}

{{- define "aether.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag }}
{{- end -}}
{{- end }}

{{- define "aether.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "aether.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{- define "aether.environment" -}}
- {name: AETHER_HOME, value: /var/lib/aether/home}
- {name: AETHER_PORT_BASE, value: {{ .Values.portBase | quote }}}
- {name: AETHER_ACCOUNTS, value: {{ .Values.accounts | quote }}}
- {name: AETHER_EXCHANGE_TIER, value: {{ .Values.exchangeTier | quote }}}
- {name: AETHER_LOG_LEVEL, value: {{ .Values.logLevel | quote }}}
- {name: AETHER_HOST_NAMES, value: {{ .Values.hostName | quote }}}
- {name: AETHER_DATABASE_URL, value: {{ .Values.database.url | quote }}}
- {name: AETHER_TEMPORAL_ADDRESS, value: {{ .Values.temporal.address | quote }}}
- {name: AETHER_TEMPORAL_CREDENTIALS, value: /run/secrets/temporal}
{{- if eq .Values.secrets.installation "kubernetes" }}
- {name: AETHER_SECRETS, value: kubernetes}
- {name: AETHER_SECRETS_DIRECTORY, value: /run/secrets/installation}
{{- end }}
{{- if .Values.learning.enabled }}
- {name: AETHER_LEARNING, value: "true"}
- {name: AETHER_LEARNING_DATA, value: /var/lib/aether/candles}
{{- end }}
{{- range $name, $value := .Values.settings }}
- {name: {{ $name }}, value: {{ $value | quote }}}
{{- end }}
- {name: MARKET, value: {{ .Values.market | quote }}}
- {name: SPEED, value: {{ .Values.speed | quote }}}
- {name: PGPASSFILE, value: /run/aether/pgpass}
- {name: TMPDIR, value: /tmp}
{{- end }}

{{- define "aether.mounts" -}}
- {name: state, mountPath: /var/lib/aether}
- {name: run, mountPath: /run/aether}
- {name: temporary, mountPath: /tmp}
- {name: secrets, mountPath: /run/secrets/aether, readOnly: true}
- {name: temporal, mountPath: /run/secrets/temporal, readOnly: true}
{{- if eq .Values.secrets.installation "kubernetes" }}
- {name: installation, mountPath: /run/secrets/installation, readOnly: true}
{{- end }}
{{- end }}

{{- define "aether.secretVolumes" -}}
- name: run
  emptyDir: {medium: Memory, sizeLimit: 1Mi}
- name: temporary
  emptyDir: {sizeLimit: 2Gi}
- name: secrets
  secret:
    secretName: {{ .Release.Name }}-database
    items:
      - {key: pgpass, path: pgpass}
      - {key: database-authority.pem, path: database-authority.pem}
- name: temporal
  secret:
    secretName: {{ .Release.Name }}-temporal
    items:
      - {key: authority.pem, path: authority.pem}
      - {key: client.pem, path: client.pem}
      - {key: client.key, path: client.key}
{{- if eq .Values.secrets.installation "kubernetes" }}
- name: installation
  secret:
    secretName: {{ .Release.Name }}-installation
    defaultMode: 0440
{{- end }}
{{- end }}

{{/* libpq refuses a password file that a group can read, as mounted secrets are. */}}
{{- define "aether.pgpass" -}}
install -m 600 /run/secrets/aether/pgpass /run/aether/pgpass
{{- end }}

{{- define "aether.probe" -}}
exec:
  command:
    - python
    - -c
    - import urllib.request as u; u.urlopen("http://127.0.0.1:{{ .port }}/{{ .path }}", timeout=4).close()
periodSeconds: {{ .period }}
timeoutSeconds: 5
failureThreshold: {{ .failures }}
{{- end }}
