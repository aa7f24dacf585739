# shellcheck shell=bash
#
# What the scripts beside it share: a minimal Debian, made by debootstrap, that reaches
# its mirrors the way this machine does.

release=bookworm
name=$(basename "$0" .sh)
name=${name//_/ }

# make_debian FOLDER [PACKAGE,PACKAGE…]: needs root.
make_debian() {
    debootstrap --variant=minbase --include="ca-certificates${2:+,$2}" "$release" "$1" \
        "$(mirror)" >"$1.log" 2>&1 || die "debootstrap failed; see $1.log"
    rm -f "$1.log"
    copy_configuration "$1"
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
    rm -f "$1"/etc/apt/sources.list
    for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.{list,sources} \
        /etc/pip.conf /root/.config/pip/pip.conf \
        /etc/resolv.conf /etc/hosts /etc/ssl/certs/ca-certificates.crt; do
        if [ -e "$file" ]; then install -D -m 644 "$file" "$1$file"; fi
    done
    apt-config dump | grep '^Acquire::' >"$1/etc/apt/apt.conf.d/99host" || true
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

# Proxies, certificates and pip's settings in this environment, one NAME=VALUE a line.
mirror_environment() { env | grep -E '^(PIP_|SSL_CERT_|[a-z_]*_proxy=|[A-Z_]*_PROXY=)' || true; }

say() { printf '%s: %s\n' "$name" "$*" >&2; }

die() {
    say "$*"
    exit 2
}
