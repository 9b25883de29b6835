#!/bin/bash
# The figures of the image builder: ratios of medians within one run, on this machine, with its apt sources.
set -euo pipefail
usage() {
  cat <<'END'
Usage: tests/bench/bench_image.sh [--runs N] [--kernel-runs N] [--image-runs N] [--user-runs N] [--compression NAME] [--root TAR]
       [--only FIGURE] [BIN]

FIGURE: root-image, or user (a build by an ordinary user, against the same as root).

BIN is the folder of the built programs (build/release/bin). --root: this root file system, not a new one. Wants root, mmdebstrap, tar2sqfs and about 2 GB in $TMPDIR.
Prints one line per figure: what was compared, the medians in seconds, the ratio, and what it should be at most.
END
}
runs=5 kernel_runs=1 image_runs=3 user_runs=3 only=all compression=zstd tar='' bin=''
while [ $# -gt 0 ]; do
  case $1 in
    --runs) runs=$2; shift ;;
    --kernel-runs) kernel_runs=$2; shift ;;
    --image-runs) image_runs=$2; shift ;;
    --user-runs) user_runs=$2; shift ;;
    --only) only=$2; shift ;;
    --compression) compression=$2; shift ;;
    --root) tar=$(readlink -f "$2"); shift ;;
    --help | -h) usage; exit 0 ;;
    -*) usage >&2; exit 2 ;;
    *) bin=$1 ;;
  esac
  shift
done
root=$(readlink -f "$(dirname "$0")/../..")
builder=${bin:-$root/build/release/bin}/maas-cloudimg2eph2
[ -x "$builder" ] || { echo "bench_image: error: $builder is not built" >&2; exit 1; }
[ "$(id -u)" = 0 ] || { echo "bench_image: error: run it as root" >&2; exit 1; }
export SOURCE_DATE_EPOCH=1700000000
work=$(mktemp -d "${TMPDIR:-/tmp}/bench-image.XXXXXX")
export TMPDIR=$work
user=''
trap '[ -z "$user" ] || userdel "$user"; rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

# seconds COMMAND...: how long it takes.
seconds() {
  local start end
  start=$(date +%s%N)
  "$@" >"$work/log" 2>&1 || { cat "$work/log" >&2; echo "bench_image: error: $*" >&2; exit 1; }
  end=$(date +%s%N)
  echo "$(((end - start) / 1000))e-6"
}

median() { sort -g | awk '{ all[NR] = $1 } END { print all[int((NR + 1) / 2)] }'; }

# figure NAME OURS THEIRS LIMIT
figure() {
  awk -v name="$1" -v ours="$2" -v theirs="$3" -v limit="$4" 'BEGIN {
    printf "%-46s %8.3f s / %8.3f s = %.2f (at most %s)\n", name, ours, theirs, ours / theirs, limit }'
}

if [ -n "$tar" ]; then
  cp "$tar" "$work/root.tar"
else
  sources=$(grep -lE '^(deb .*bookworm|Suites:.*bookworm)' /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null || true)
  echo "bootstrapping Debian 12" >&2
  # shellcheck disable=SC2086 # one word per file
  mmdebstrap --quiet --variant=apt --include=systemd-sysv,live-boot,udev,ca-certificates bookworm "$work/root.tar" \
    ${sources:-http://deb.debian.org/debian}
fi
tar2sqfs -q -c "$compression" -j 2 "$work/root.squashfs" <"$work/root.tar" 2>/dev/null

root_image_figure() {
  mkdir "$work/tree"
  tar -C "$work/tree" --xattrs --xattrs-include='*' --numeric-owner -xf "$work/root.tar"
  ours_image() { "$builder" --no-squashfs --jobs=2 "$work/root.squashfs" "$work/out/root-image.gz"; }
  theirs_image() {
    mkdir -p "$work/out" && mke2fs -q -F -t ext4 -O ^metadata_csum -L cloudimg-rootfs -m 0 -d "$work/tree" "$work/out/image" 1400M &&
      gzip -9 --rsyncable "$work/out/image"
  }
  : >"$work/ours"
  : >"$work/theirs"
  for _ in $(seq "$image_runs"); do
    rm -rf "$work/out"; seconds ours_image >>"$work/ours"
    rm -rf "$work/out"; seconds theirs_image >>"$work/theirs"
  done
  figure "squashfs -> root-image.gz / mke2fs -d, gzip -9" "$(median <"$work/ours")" "$(median <"$work/theirs")" 1.2
}

# One kernel, with everything that a build of it fetches and unpacks, by an account made for it.
user_figure() {
  user=m2ebench$$
  useradd --no-create-home --key SUB_UID_COUNT=65536 --key SUB_GID_COUNT=65536 "$user"
  cp "$builder" "$root/conf/builder.yaml" "$work"
  chmod 755 "$work"
  chmod a+r "$work/root.squashfs"
  one_kernel() { # PLACE WORD...
    place=$1
    shift
    "$@" "$work/maas-cloudimg2eph2" --conf="$work/builder.yaml" --jobs=2 --no-gzip "$work/root.squashfs" "$place/root-image.gz" \
      "--krd-pack=linux-image-cloud-amd64,$place/k,$place/i"
  }
  new_place() { rm -rf "${work:?}/$1" && mkdir "$work/$1" && chown "$2" "$work/$1"; }
  : >"$work/ours"
  : >"$work/theirs"
  for _ in $(seq "$user_runs"); do
    new_place by-user "$user"
    seconds one_kernel "$work/by-user" env -u TMPDIR setpriv --reuid="$user" --regid="$user" --clear-groups >>"$work/ours"
    new_place by-root root
    seconds one_kernel "$work/by-root" env -u TMPDIR >>"$work/theirs"
  done
  userdel "$user"
  user=''
  cmp "$work/by-user/i" "$work/by-root/i" && cmp "$work/by-user/squashfs" "$work/by-root/squashfs"
  figure "a kernel, by an ordinary user / by root" "$(median <"$work/ours")" "$(median <"$work/theirs")" 1.3
}

case $only in
  root-image) root_image_figure; exit 0 ;;
  user) user_figure; exit 0 ;;
  all) root_image_figure; user_figure ;;
  *) usage >&2; exit 2 ;;
esac

xz -T2 -1 --keep "$work/root.tar"

out() { rm -rf "$work/out"; }
ours_tar() { "$builder" --no-gzip --compression="$compression" --jobs=2 "$work/root.tar" "$work/out/root-image.gz"; }
theirs_tar() { mkdir -p "$work/out" && tar2sqfs -q -c "$compression" -j 2 "$work/out/squashfs" <"$work/root.tar"; }
ours_xz() { "$builder" --no-gzip --compression="$compression" --jobs=2 "$work/root.tar.xz" "$work/out/root-image.gz"; }
theirs_xz() { mkdir -p "$work/out" && tar2sqfs -q -c "$compression" -j 2 "$work/out/squashfs" <"$work/root.tar.xz"; }
ours_copy() { "$builder" --no-gzip --manifest="$work/out/m" "$work/root.squashfs" "$work/out/root-image.gz"; }
theirs_copy() { mkdir -p "$work/out" && cp "$work/root.squashfs" "$work/out/squashfs" && sync "$work/out/squashfs" && sha256sum "$work/out/squashfs"; }

for pair in tar xz copy; do
  : >"$work/ours"
  : >"$work/theirs"
  for _ in $(seq "$runs"); do
    out; seconds "ours_$pair" >>"$work/ours"
    out; seconds "theirs_$pair" >>"$work/theirs"
  done
  case $pair in
    tar) figure "root tar -> squashfs / tar2sqfs" "$(median <"$work/ours")" "$(median <"$work/theirs")" 1.1 ;;
    xz) figure "root.tar.xz -> squashfs / tar2sqfs" "$(median <"$work/ours")" "$(median <"$work/theirs")" 1.1 ;;
    copy) figure "squashfs unchanged / cp + sync + sha256sum" "$(median <"$work/ours")" "$(median <"$work/theirs")" 1.2 ;;
  esac
done

kernels='linux-image-amd64 linux-image-cloud-amd64 linux-image-rt-amd64'
pack() { # KERNEL...
  local words=()
  for kernel in "$@"; do words+=("--krd-pack=$kernel,$work/out/$kernel/k,$work/out/$kernel/i"); done
  "$builder" -vv --jobs=2 --no-gzip "$work/root.squashfs" "$work/out/root-image.gz" "${words[@]}"
}

: >"$work/together"
: >"$work/alone"
for _ in $(seq "$kernel_runs"); do
  # shellcheck disable=SC2086 # words on purpose
  { out; seconds pack $kernels >>"$work/together"; }
  cp "$work/log" "$work/together.log"
  sum=0
  for kernel in $kernels; do
    out
    sum=$(awk -v sum="$sum" -v one="$(seconds pack "$kernel")" 'BEGIN { print sum + one }')
  done
  echo "$sum" >>"$work/alone"
done
figure "three kernels --jobs 2 / sum of three alone" "$(median <"$work/together")" "$(median <"$work/alone")" 0.75
grep -oE '^Get:[0-9]+ .*' "$work/together.log" | awk '$4 != "InRelease" && $5 != "Packages" { print $5 "_" $7 }' | sort | uniq -c |
  awk '{ debs++; if ($1 > 1) twice++ } END { printf "%-46s %d packages fetched, %d of them twice (0)\n", ".deb downloads of three kernels", debs, twice }'

# The peak of our own process, not of what it runs.
out
# shellcheck disable=SC2086 # words on purpose
pack $kernels >"$work/log" 2>&1 &
sleep 0.2
pid=$(pgrep -P $! -f maas-cloudimg2eph2 || echo $!)
peak=0
while read -r now < <(sed -n 's/^VmHWM:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$pid/status" 2>/dev/null) && [ -n "$now" ]; do
  peak=$now
  sleep 0.1
done
wait $!
printf '%-46s %d MB (at most 150)\n' "peak memory of our own process" $((peak / 1024))
