#!/usr/bin/env bash
# Install what tests with browsers and servers of other makers need and can get here: packages of Debian
# (as root, where apt-get is) and of npm. What stays missing is skipped by name, with the reason.
set -euo pipefail
cd "$(dirname "$0")"

# Program or folder, and the package that brings it.
wanted=(
  "chromium chromium"
  "nginx nginx-light"
  "haproxy haproxy"
  "go golang-go"
  "/usr/share/gocode/src/github.com/gorilla/websocket golang-github-gorilla-websocket-dev"
  "caddy caddy"
  "varnishd varnish"
  "nft nftables"
  "node nodejs"
  "npm npm"
  "sshd openssh-server"
  "mosquitto mosquitto"
  "rabbitmq-server rabbitmq-server"
  "janus janus"
  "prosody prosody"
  "nats-server nats-server"
)

PATH="$PATH:/usr/sbin:/sbin"
packages=()
for entry in "${wanted[@]}"; do
  read -r what package <<<"$entry"
  [ -e "$what" ] || command -v "$what" >/dev/null || packages+=("$package")
done

if [ "${#packages[@]}" -gt 0 ]; then
  if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
    export DEBIAN_FRONTEND=noninteractive
    # The packages bring services; the tests start their own, so nothing may listen on port 80 from here.
    policy=/usr/sbin/policy-rc.d
    if [ ! -e "$policy" ]; then
      trap 'rm -f "$policy"' EXIT
      printf '#!/bin/sh\nexit 101\n' >"$policy"
      chmod +x "$policy"
    fi
    # One package that this release does not have must not keep the others out.
    apt-get update -qq || echo "apt-get update failed: what it would have installed is skipped"
    for package in "${packages[@]}"; do
      apt-get install -y -qq --no-install-recommends "$package" >/dev/null ||
        echo "apt-get install $package failed: tests that need it are skipped"
    done
  else
    echo "not installed, because that needs root and apt-get: ${packages[*]}"
  fi
fi

if command -v npm >/dev/null; then
  if [ ! -d node_modules ] || [ package-lock.json -nt node_modules ]; then
    npm ci --no-audit --no-fund --silent && touch node_modules ||
      echo "npm ci failed: tests against servers on node are skipped"
  fi
fi
