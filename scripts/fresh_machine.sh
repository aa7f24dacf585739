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

release=bookworm
checkout=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
extra=
if [ "${1-}" = --with ]; then
    extra=,$2
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
    debootstrap --variant=minbase --include="ca-certificates$extra" "$release" "$machine" \
        "$(mirror)" >"$machine.log" 2>&1 || die "debootstrap failed; see $machine.log"
    rm -f "$machine.log"
    copy_configuration
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

# Where apt on this machine takes Debian from.
mirror() {
    # shellcheck disable=SC2016 # apt-get expands it
    apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' "Codename: $release" \
        'Component: main' | head -n 1 | grep . ||
        die "apt here names no mirror of Debian $release"
}

# How this machine reaches its mirrors: apt's and pip's settings, names, certificates.
copy_configuration() {
    local file
    rm -f "$machine"/etc/apt/sources.list
    for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.{list,sources} \
        /etc/pip.conf /root/.config/pip/pip.conf \
        /etc/resolv.conf /etc/hosts /etc/ssl/certs/ca-certificates.crt; do
        if [ -e "$file" ]; then install -D -m 644 "$file" "$machine$file"; fi
    done
    apt-config dump | grep '^Acquire::' >"$machine/etc/apt/apt.conf.d/99host" || true
}

# Folders that pip's settings name, such as a local index: mounted, not copied.
pip_folders() {
    { cat /etc/pip.conf /root/.config/pip/pip.conf 2>/dev/null; env | grep '^PIP_'; } |
        grep -oE '(^|[= ]|file://)/[^ ]+' | sed -E 's|^[= ]*(file://)?||' |
        while read -r folder; do
            folder=${folder%/simple} # an index's files lie beside its pages
            if [ -d "$folder" ]; then echo "$folder"; fi
        done | sort -u
}

# Process 1 ends with the command, and with it end the namespaces and their mounts.
# A real new root, not chroot: in a chroot the kernel refuses user namespaces.
inside() {
    local kept
    mapfile -t kept < <(env | grep -E '^(PIP_|SSL_CERT_|[a-z_]*_proxy=|[A-Z_]*_PROXY=)')
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

say() { printf 'fresh machine: %s\n' "$*" >&2; }

die() {
    say "$*"
    exit 2
}

main "$@"
