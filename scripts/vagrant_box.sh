#!/bin/bash
#
# Brings this checkout's Vagrantfile up for real, runs commands in the machine, and
# removes everything again: Callpath on Debian's own kernel, under systemd.
#
#     sudo scripts/vagrant_box.sh                            # doctor, run, test
#     sudo scripts/vagrant_box.sh './callpath run intranet'  # others, each one argument
#
# The box is made here, by debootstrap from the mirror that apt uses here. libvirtd, the
# machine and vagrant live in namespaces of their own and reach the outside through
# slirp4netns: this machine's libvirt, boxes, bridges and firewall are left alone, and
# all of it ends with this script. It needs 5 GB in TMPDIR. Where KVM does not work, qemu
# emulates the processor, about ten times slower.

set -euo pipefail

checkout=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
# shellcheck source=scripts/debian.sh
. "$checkout/scripts/debian.sh"
if [ $# = 0 ]; then set -- './callpath doctor' './callpath run' './callpath test'; fi

# What the Vagrantfile asks for: found in this VAGRANT_HOME, it is not downloaded.
box=debian/bookworm64
# What a box needs of a Debian: a kernel, an init, a network, and what vagrant speaks to.
packages=linux-image-amd64,systemd-sysv,dbus,ifupdown,isc-dhcp-client,openssh-server,sudo,rsync
needs="debootstrap vagrant:vagrant-libvirt libvirtd:libvirt-daemon-system git rsync
    qemu-system-x86_64:qemu-system-x86 qemu-img:qemu-utils dnsmasq:dnsmasq-base
    iptables ip:iproute2 slirp4netns extlinux ssh-keygen:openssh-client
    pkill:procps"

main() {
    check_needs
    work=$(mktemp -d "${TMPDIR:-/tmp}/callpath-box.XXXXXX")
    trap clean_up EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
    export work box VAGRANT_HOME="$work/vagrant" VAGRANT_CHECKPOINT_DISABLE=1 \
        VAGRANT_DEFAULT_PROVIDER=libvirt
    vagrant box list >/dev/null # makes VAGRANT_HOME with the key that every box knows
    git clone --quiet --no-hardlinks "$checkout" "$work/callpath"
    timed "making a box of Debian ($release)" apart --mount -- make_box
    local_settings >"$VAGRANT_HOME/Vagrantfile"
    apart --mount --net --ipc --uts -- inside "$@" &
    machine=$!
    connect
    wait "$machine"
}

check_needs() {
    local need missing=
    [ "$(id -u)" = 0 ] || die "debootstrap and namespaces need root; run: sudo $0"
    for need in $needs; do
        command -v "${need%%:*}" >/dev/null || missing="$missing ${need#*:}"
    done
    [ -z "$missing" ] || die "run: apt-get install --no-install-recommends$missing"
}

clean_up() {
    local job
    trap - EXIT INT TERM HUP
    for job in $(jobs -p); do
        pkill -KILL --parent "$job" || kill -KILL "$job" # unshare waits for all that it holds
        wait "$job" || true
    done 2>/dev/null
    rm -rf --one-file-system "$work"
}

# Becomes one of these functions in namespaces, with which everything ends that it started.
apart() {
    local namespaces=()
    while [ "$1" != -- ]; do
        namespaces+=("$1")
        shift
    done
    exec setpriv --pdeathsig KILL \
        unshare "${namespaces[@]}" --pid --fork --kill-child --mount-proc --propagation private \
        "$BASH" -euo pipefail -c "$(declare -f); $(declare -p name release packages); \"\$@\"" \
        "$0" "${@:2}" </dev/null
}

timed() {
    local began=$SECONDS status=0
    say "$1"
    ("${@:2}") || status=$?
    say "exit code $status after $((SECONDS - began)) s"
    return $status
}

# --- the box: one file system without partitions, that boots by extlinux --------------

make_box() {
    local root=$work/root
    truncate --size 20G "$work/box.raw"
    # extlinux reads no file system with the two features.
    mkfs.ext4 -q -L root -O ^64bit,^metadata_csum "$work/box.raw"
    mkdir "$root"
    mount -o loop "$work/box.raw" "$root"
    make_debian "$root" "$packages"
    settle_in "$root"
    add_user "$root"
    add_loader "$root"
    umount "$root"
    qemu-img convert -O qcow2 "$work/box.raw" "$work/box.img"
    rm "$work/box.raw"
    echo '{"provider": "libvirt", "format": "qcow2", "virtual_size": 20}' >"$work/metadata.json"
    echo 'Vagrant.configure("2") {}' >"$work/Vagrantfile"
    tar -C "$work" --remove-files -cf "$work/callpath.box" metadata.json Vagrantfile box.img
}

settle_in() {
    echo 'LABEL=root / ext4 errors=remount-ro 0 1' >"$1/etc/fstab"
    printf '%s\n' 'auto lo eth0' 'iface lo inet loopback' 'iface eth0 inet dhcp' \
        >"$1/etc/network/interfaces"
    { mirror_environment; echo LANG=C.UTF-8; } >"$1/etc/environment"
}

add_user() {
    local home=$1/home/vagrant pip=/root/.config/pip/pip.conf
    chroot "$1" useradd --create-home --shell /bin/bash vagrant
    echo 'vagrant ALL=(ALL) NOPASSWD: ALL' >"$1/etc/sudoers.d/vagrant"
    install -d -m 700 "$home/.ssh"
    ssh-keygen -y -f "$VAGRANT_HOME/insecure_private_key" >"$home/.ssh/authorized_keys"
    if [ -e "$pip" ]; then install -D -m 644 "$pip" "$home/.config/pip/pip.conf"; fi
    chroot "$1" chown -R vagrant: /home/vagrant
}

add_loader() {
    printf '%s\n' 'DEFAULT linux' 'LABEL linux' 'LINUX /vmlinuz' 'INITRD /initrd.img' \
        'APPEND root=LABEL=root ro quiet net.ifnames=0 console=ttyS0' >"$1/boot/extlinux.conf"
    extlinux --install "$1/boot" >/dev/null 2>&1 || die "extlinux failed"
}

# --- the machine ----------------------------------------------------------------------

# What differs from the Vagrantfile on this machine, and would otherwise lie in ~/.vagrant.d.
local_settings() {
    local folder
    printf '%s\n' 'Vagrant.configure("2") do |config|' \
        '  config.vm.provider("libvirt") do |machine|' \
        '    machine.disk_driver cache: "unsafe" # it is thrown away'
    if ! has_kvm; then
        say "no KVM here: the processor is emulated"
        printf '%s\n' '    machine.driver = "qemu"' '    machine.cpu_mode = "maximum"'
    fi
    printf '%s\n' '  end' '  config.vm.boot_timeout = 1800'
    for folder in $(pip_folders); do
        echo "  config.vm.synced_folder '$folder', '$folder', type: '9p', readonly: true"
    done
    echo end
}

# Whether a machine can be made with it: the device alone says little.
has_kvm() {
    { timeout 20 qemu-system-x86_64 -accel kvm -cpu host -S -display none -qmp stdio \
        <<<'{"execute": "qmp_capabilities"} {"execute": "quit"}'; } >/dev/null 2>&1
}

# The outside's half: slirp4netns gives the machine's namespaces a way out.
connect() {
    local ready
    mkfifo "$work/made" "$work/connected"
    exec {ready}<>"$work/made"
    read -r -t 60 -u "$ready" _ || die "no namespaces can be made here"
    slirp4netns --configure --mtu=1500 --ready-fd=3 "$machine" tap0 \
        3>"$work/connected" >"$work/slirp.log" 2>&1 &
}

inside() {
    local status=0
    own_system
    echo >"$work/made"
    head -c 1 "$work/connected" >/dev/null
    cd "$work/callpath"
    libvirtd --daemon
    timed "vagrant up" bring_up
    for command in "$@"; do
        timed "\$ $command" vagrant ssh -c "cd /vagrant && sudo $command" || status=$?
        [ $status = 0 ] || break
    done
    timed "vagrant destroy" vagrant destroy --force
    return $status
}

bring_up() {
    { vagrant box add --name "$box" "$work/callpath.box" && rm "$work/callpath.box" && vagrant up; } |
        sed -u 's/.*\x1b\[K//' # without the progress of copying
}

# Folders of its own wherever libvirt keeps something.
own_system() {
    local folder resolver
    mount -t sysfs sysfs /sys # the new network's
    mount -t tmpfs tmpfs /run
    for folder in /etc/libvirt /var/lib/libvirt /var/cache/libvirt /var/log/libvirt; do
        mkdir -p "$work/libvirt$folder" "$folder"
        mount --bind "$work/libvirt$folder" "$folder"
    done
    mkdir /var/lib/libvirt/images
    printf '%s\n' 'user = "root"' 'group = "root"' 'security_driver = "none"' \
        'cgroup_controllers = []' 'namespaces = []' 'stdio_handler = "file"' \
        >/etc/libvirt/qemu.conf
    printf '%s\n' 'auth_unix_rw = "none"' 'auth_unix_ro = "none"' >/etc/libvirt/libvirtd.conf
    # slirp4netns's name server: this machine's may listen on its loopback only.
    echo 'nameserver 10.0.2.3' >/run/resolv.conf
    resolver=$(readlink -m /etc/resolv.conf)
    mkdir -p "${resolver%/*}"
    [ -e "$resolver" ] || : >"$resolver"
    mount --bind /run/resolv.conf "$resolver"
    ip link set lo up
}

main "$@"
