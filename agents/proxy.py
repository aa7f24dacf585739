"""The office's HTTP proxy: squid, which lets CONNECT through to HTTPS and nothing else.

It asks name servers itself, and forgets soon what it heard, so that every run resolves anew.
"""

from pathlib import Path

from topologies.processes import Program
from topologies.spec import Host, Proxy

#: What squid asks whether a login is right, a line for each: OK or ERR.
_HELPER = """while read -r login; do
    if grep -qxF -- "$login" {logins}; then echo OK; else echo ERR; fi
done
"""

#: Any user but root, as whom squid does not run; in a world of an ordinary user there is no other
#: than in a user namespace of its own.
_USER = ("unshare", "--user", "--map-user=13", "--map-group=13")

#: Squid keeps shared memory under names that all of a machine would share: here it has its own.
_APART = ("sh", "-c", 'mount -t tmpfs squid /dev/shm && exec "$0" "$@"')

_SETTINGS = (
    "visible_hostname proxy",
    "pid_filename none",
    "cache deny all",
    "cache_mem 8 MB",
    "cache_store_log none",
    "cache_log /dev/null",
    "access_log none",
    "netdb_filename none",
    "pinger_enable off",
    "coredump_dir /",
    "shutdown_lifetime 0 seconds",
    # In seconds; the one must be more than the other.
    "positive_dns_ttl 2 seconds",
    "negative_dns_ttl 1 second",
    # By default both hold the name of the client, for which every address would be looked up.
    'url_rewrite_extras "%>a"',
    'store_id_extras "%>a"',
    "acl https port 443",
    "acl connect method CONNECT",
    "http_access deny !connect",
    "http_access deny !https",
)


def program(host: Host, proxy: Proxy, logins: dict[str, str], folder: Path) -> Program:
    """The proxy on this host; ``logins`` are names with their passwords, if it asks for them."""
    settings = [f"http_port {host.address}:{proxy.port}", *_SETTINGS]
    if proxy.login:
        settings += _login(host, logins, folder)
    settings.append("http_access deny all" if proxy.login else "http_access allow all")
    path = folder / f"{host.name}.squid.conf"
    path.write_text("\n".join(settings) + "\n", encoding="utf-8")
    return Program(
        name=host.name,
        # Without daemons, with what matters on standard error.
        argv=(*_APART, *_USER, "squid", "-N", "-d", "1", "-f", str(path)),
        ready="Accepting HTTP Socket connections",
    )


def _login(host: Host, logins: dict[str, str], folder: Path) -> list[str]:
    """Settings that ask for a login."""
    known, helper = folder / f"{host.name}.logins", folder / f"{host.name}.login.sh"
    known.write_text("".join(f"{name} {word}\n" for name, word in logins.items()), encoding="utf-8")
    helper.write_text(_HELPER.format(logins=known), encoding="utf-8")
    return [
        f"auth_param basic program /bin/sh {helper}",
        "auth_param basic children 1 startup=1",
        "auth_param basic realm the office",
        "acl known proxy_auth REQUIRED",
        "http_access allow known",
    ]
