# What the scripts share; sourced, not run.
set -euo pipefail
export LC_ALL=C.UTF-8

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/nautil
venv=$cache/venv

say() { printf '%s: %s\n' "$(basename "$0")" "$*" >&2; }
die() {
  say "$*"
  exit 1
}

have() { command -v "$1" >/dev/null 2>&1; }

# The feature version of a JDK's folder: 17, 25; nothing where there is none.
jdk_version() {
  [ ! -f "$1/release" ] || sed -n 's/^JAVA_VERSION="\([0-9]*\).*/\1/p' "$1/release"
}

# The folder of an installed JDK of exactly that feature version; nothing where there is none.
find_jdk() {
  local jdk
  for jdk in ${JAVA_HOME:+"$JAVA_HOME"} /usr/lib/jvm/*; do
    if [ -x "$jdk/bin/javac" ] && [ "$(jdk_version "$jdk")" = "$1" ]; then
      printf '%s\n' "$jdk"
      return
    fi
  done
}

# The JDK that builds and runs: JAVA_HOME's, else javac's on the PATH.
java_home() {
  if [ -n "${JAVA_HOME:-}" ]; then
    printf '%s\n' "$JAVA_HOME"
  elif have javac; then
    dirname "$(dirname "$(readlink -f "$(command -v javac)")")"
  fi
}

clang_format() {
  if [ -x "$venv/bin/clang-format" ]; then
    printf '%s\n' "$venv/bin/clang-format"
  elif have clang-format-14; then
    command -v clang-format-14
  fi
}
