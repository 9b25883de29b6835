# shellcheck shell=bash
# What the end-to-end tests are written in. A test is a bash script: it sources this file, runs commands through the words
# below, and stops at the first one that is not as it should be. Any other command that fails stops it as well, and its line
# is told: a test whose preparation failed tests nothing. Each has its own empty directory as cwd.
#
#   msg TEXT                        what is tested now
#   testsuccess COMMAND...          exit 0; output in $OUT (stdout) and $ERR (stderr)
#   testexit CODE COMMAND...        that very exit code
#   testfailure COMMAND...          any other exit code than 0 that is not a crash
#   testequal EXPECTED COMMAND...   exit 0 and that standard output
#   testgrep PATTERN FILE           a line of FILE matches (grep -E)
#   testnogrep PATTERN FILE         no line does
#   skip REASON                     cannot be tested here: exit 77
set -uE
trap 'stopped $? "${BASH_SOURCE[0]}" $LINENO "$BASH_COMMAND"' ERR

SOURCE=$(cd "$(dirname "$(readlink -f "$0")")/../.." && pwd)
while [ ! -f "$SOURCE/system-setup" ]; do SOURCE=$(dirname "$SOURCE"); done
: "${MEPH2_BIN:=$SOURCE/build/release/bin}" "${MEPH2_BUILD:=$SOURCE/build/dev}"
# The programs of this build first, then the scripts of bin/.
PATH=$MEPH2_BIN:$SOURCE/bin:$PATH
export PATH SOURCE MEPH2_BIN MEPH2_BUILD
# Short, so that a GNUPGHOME below it still fits into a socket's name.
WORK=$(mktemp -d /tmp/e2e.XXXXXX)
OUT=$WORK/.out ERR=$WORK/.err
export GNUPGHOME="$WORK/.gnupg" TZ=UTC LC_ALL=C.UTF-8
unset SS_GPG_DEFAULT_KEY MAAS_CLOUDIMG2EPH2 MEPH2_CONFIG_YAML SOURCE_DATE_EPOCH
background=''
cd "$WORK" || exit 1

# Runs at every end: what was started is stopped by its id, what was written goes away.
clean_up() {
  code=$?
  trap - EXIT ERR
  for pid in $background; do
    kill "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
  done
  if [ -d "$GNUPGHOME" ]; then gpgconf --homedir "$GNUPGHOME" --kill all 2>/dev/null; fi
  cd / && rm -rf "$WORK"
  exit "$code"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# What a plain command that fails runs into.
stopped() {
  trap - ERR
  printf 'FAIL: %s:%s: exit %s: %s\n' "$2" "$3" "$1" "$4"
  exit 1
}

msg() { printf '%s ...\n' "$*"; }
skip() { printf 'SKIPPED: %s\n' "$*"; exit 77; }
fail() {
  printf 'FAIL: %s\n' "$*"
  for file in "$OUT" "$ERR"; do
    if [ -s "$file" ]; then
      echo "--- ${file##*/.}:"
      tail -n 60 "$file"
    fi
  done
  exit 1
}
run() {
  code=0
  "$@" >"$OUT" 2>"$ERR" </dev/null || code=$?
}
testsuccess() {
  run "$@"
  [ $code -eq 0 ] || fail "exit $code, wanted 0: $*"
}
testexit() {
  wanted=$1
  shift
  run "$@"
  [ $code -eq "$wanted" ] || fail "exit $code, wanted $wanted: $*"
}
testfailure() {
  run "$@"
  [ $code -ne 0 ] || fail "exit 0, wanted a failure: $*"
  [ $code -lt 126 ] || fail "exit $code, not found or killed: $*"
}
testequal() {
  printf '%s\n' "$1" >"$WORK/.wanted"
  shift
  testsuccess "$@"
  cmp -s "$WORK/.wanted" "$OUT" || { diff -u "$WORK/.wanted" "$OUT" || true; fail "other output than wanted: $*"; }
}
testgrep() { grep -Eq -- "$1" "$2" || fail "no line matches '$1' in $2"; }
testnogrep() { if grep -Eq -- "$1" "$2"; then fail "a line matches '$1' in $2"; fi; }

# A throw-away key; its fingerprint is in $KEY.
make_key() {
  [ -d "$GNUPGHOME" ] || mkdir -m 700 "$GNUPGHOME"
  testsuccess gpg --batch --quiet --passphrase '' --quick-generate-key 'e2e <e2e@example.com>' ed25519 sign never
  # shellcheck disable=SC2034 # for the test
  KEY=$(gpg --batch --with-colons --list-keys | sed -n 's/^fpr:::::::::\([0-9A-F]*\):.*/\1/p' | head -n 1)
}

# serve DIR: HTTP server for DIR on 127.0.0.1; its port is in $PORT. Stopped at the end of the test.
serve() {
  python3 -u -m http.server --bind 127.0.0.1 --directory "$1" 0 >"$WORK/.http" 2>&1 &
  background="$background $!"
  tries=0
  until PORT=$(sed -n 's/.* port \([0-9]*\).*/\1/p' "$WORK/.http") && [ -n "$PORT" ]; do
    tries=$((tries + 1))
    [ $tries -lt 100 ] || fail "the HTTP server did not start: $(cat "$WORK/.http")"
    sleep 0.1
  done
}

# make_stream DIR VERSION...: a small unsigned candidate stream with these versions, whole.
make_stream() {
  python3 -c 'import sys; sys.path.insert(0, sys.argv[1]); import streams; streams.make(sys.argv[2], sys.argv[3:])' \
    "$SOURCE/tests/fault" "$@" || fail "make_stream $*"
}

# remember DIR, then unchanged DIR: no file came, went or changed since (locks aside).
listing() { find "$1" -type f ! -name '*.lock' -exec sha256sum {} + | sort; }
remember() {
  listing "$1" >"$WORK/.before"
  [ -s "$WORK/.before" ] || fail "remember $1: there is nothing in it, so nothing could change"
}
unchanged() { listing "$1" | cmp -s - "$WORK/.before" || fail "$1 was changed"; }

# locked MODE FILE COMMAND...: exit 75 while another process holds the lock FILE, --shared or --exclusive.
locked() {
  local mode=$1 lock=$2 tries=0 holder
  shift 2
  flock "$mode" --no-fork "$lock" sleep 60 &
  holder=$!
  background="$background $holder"
  while flock -n "$lock" true; do
    tries=$((tries + 1))
    [ $tries -lt 100 ] || fail "the lock was not taken"
    sleep 0.1
  done
  testexit 75 "$@"
  kill "$holder"
  wait "$holder" 2>/dev/null || true
  background=${background% "$holder"}
}

# held DIR COMMAND...: exit 75, because somebody else publishes in DIR.
held() {
  locked --exclusive "$1/.data/.sstream/commit.lock" "${@:2}"
  testgrep 'held by' "$ERR"
}
