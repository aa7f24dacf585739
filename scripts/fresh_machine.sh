#!/bin/bash
#
# Runs commands in the committed checkout on a new, minimal Debian 12, and throws
# that machine away: the proof that nothing is needed which the launcher does not
# install.
#
#     sudo scripts/fresh_machine.sh                      # the README's two commands
#     sudo scripts/fresh_machine.sh './callpath doctor'  # others, each one argument
#
# The machine is a folder, made by debootstrap from the mirror that apt uses here,
# entered in mount and process namespaces of its own: it has this kernel and this
# network, its own packages and files, no systemd. With `--with PACKAGE,PACKAGE`
# it has further packages from the start.

set -euo pipefail

checkout=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
# shellcheck source=scripts/debian.sh
. "$checkout/scripts/debian.sh"
extra=
if [ "${1-}" = --with ]; then
    extra=$2
    shift 2
fi
if [ $# = 0 ]; then set -- './callpath run' './callpath test'; fi

main() {
    [ "$(id -u)" = 0 ] || die "debootstrap and mounting need root; run: sudo $0"
    command -v debootstrap >/dev/null || die "needs debootstrap; run: apt-get install debootstrap"
    machine=$(mktemp -d "${TMPDIR:-/tmp}/callpath-fresh.XXXXXX")
    chmod 755 "$machine" # it becomes the root folder, for every user
    # The mounts inside are private and gone by then; should one not be, leave it alone.
    trap 'rm -rf --one-file-system "$machine"' EXIT
    say "making a minimal Debian ($release)"
    make_debian "$machine" "$extra"
    git clone --quiet --no-hardlinks "$checkout" "$machine/srv/callpath"
    local status=0
    for command in "$@"; do
        say "\$ $command"
        SECONDS=0
        inside "$command" || status=$?
        say "exit code $status after $SECONDS s"
        [ $status = 0 ] || break
    done
    return $status
}

# Process 1 ends with the command, and with it end the namespaces and their mounts.
# A real new root, not chroot: in a chroot the kernel refuses user namespaces.
inside() {
    local kept
    mapfile -t kept < <(mirror_environment)
    env -i "${kept[@]}" HOME=/root LC_ALL=C.UTF-8 \
        PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
        unshare --mount --pid --ipc --uts --fork --kill-child --propagation private \
        "$BASH" -euo pipefail -c "$(declare -f enter); enter \"\$@\"" fresh_machine \
        "$machine" "$1" "$(pip_folders)" </dev/null
}

enter() {
    local machine=$1 command=$2 folders=$3 folder
    mount --bind "$machine" "$machine"
    cd "$machine"
    mount -t proc proc proc
    mount -t sysfs sysfs sys
    mount --rbind /dev dev
    mount -t tmpfs tmpfs run
    mount -t tmpfs tmpfs tmp
    for folder in $folders; do
        mkdir -p ".$folder"
        mount --bind -o ro "$folder" ".$folder"
    done
    mkdir -p old
    pivot_root . old
    umount -l /old
    rmdir old
    hostname fresh
    cd /srv/callpath # ordinary users may read it, other than /root
    bash -c "$command" # not exec: process 1 must be one that reaps orphans
}

main "$@"
