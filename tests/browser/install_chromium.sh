#!/bin/sh
# Install Debian's Chromium where there is none and root, or sudo without a password, lets us; say so where not.
set -eu

for name in chromium chromium-browser google-chrome google-chrome-stable; do
  if command -v "$name" >/dev/null; then exit 0; fi
done
if [ -n "${CHROMIUM:-}" ]; then exit 0; fi

if ! command -v apt-get >/dev/null; then
  echo "no Chromium and no apt-get here: the tests in a browser will be skipped; install Chromium to run them"
  exit 0
fi
if [ "$(id -u)" -eq 0 ]; then
  as_root=""
elif sudo -n true 2>/dev/null; then
  as_root="sudo -n"
else
  echo "no Chromium here and no right to install it: the tests in a browser will be skipped"
  exit 0
fi
# fonts-noto-cjk: without a Chinese font the Chinese report is measured with empty boxes.
if ! { $as_root apt-get update -q && $as_root apt-get install -q -y --no-install-recommends chromium fonts-noto-cjk; }; then
  echo "Chromium could not be installed: the tests in a browser will be skipped"
fi
