"""Which addresses a call may reach: the open internet, and loopback where a connection says so."""

import re
import socket
import threading
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from unicodedata import normalize

from connectors.errors import Rejected, Unavailable

# Global by the registry or by Python, yet inside a cloud (the host services of Azure and Oracle), or in books only.
_CLOSED = tuple(map(ip_network, ("168.63.129.16/32", "192.0.0.0/24", "3fff::/20")))
_NAT64 = IPv6Network("64:ff9b::/96")
_NAT64_HERE = IPv6Network("64:ff9b:1::/48")  # where the IPv4 address stands in it, each network decides for itself
_ISATAP = 0x5EFE  # RFC 5214: an IPv4 address as the name of an interface, after this mark
_OFFICE = tuple(map(ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")))
_METADATA = frozenset(
    map(ip_address, ("fd00:ec2::254", "fd00:ec2::23", "fd20:ce::254", "fd00:a9fe:a9fe::1", "fd00:42::42"))
)
_HERE = re.compile(r"(.+\.)?localhost")
_INSIDE = re.compile(r"(.+\.)?(internal|local|localdomain|home\.arpa)|metadata|instance-data")


def allowed(address: str, *, loopback: bool, office: bool = False) -> bool:
    """Whether `address` (numeric, any form of IPv4 inside IPv6 included) may be called.

    `office`: private networks too, but never a cloud's own addresses; for a proxy, which usually stands there.
    """
    outer, *inner = _meant(address)
    return _open(outer, loopback=loopback, office=office) and all(_open(one, loopback=False) for one in inner)


def named_inside(host: str, *, loopback: bool) -> bool:
    """Whether a host as it is written lies inside, as can be told without asking: `0x7f.1`, `localhost`, `fd00::1`.

    A proxy would look such a name up by itself, where nobody sees the address.
    """
    plain = normalize("NFKC", host).replace("\u3002", ".").lower().rstrip(".")
    if _HERE.fullmatch(plain):
        return not loopback
    if _INSIDE.fullmatch(plain):
        return True
    try:
        number = plain if ":" in plain else socket.inet_ntoa(socket.inet_aton(plain))  # it takes what getaddrinfo takes
        return not allowed(number, loopback=loopback)
    except ValueError:
        return True
    except OSError:
        return False


def _meant(address: str) -> list[IPv4Address | IPv6Address]:
    found = ip_address(address.partition("%")[0])
    if isinstance(found, IPv4Address):
        return [found]
    inner: list[IPv4Address | IPv6Address] = []
    if found.ipv4_mapped:
        return [found.ipv4_mapped]
    if found.sixtofour:
        inner.append(found.sixtofour)
    if found.teredo:
        inner.extend(found.teredo)
    low = IPv4Address(int(found) & 0xFFFFFFFF)
    if found in _NAT64:
        return [low, low]  # judged as an inner one too: the loopback meant is the translator's, not ours
    if (int(found) >> 32) & 0xFDFFFFFF == _ISATAP:
        inner.append(low)
    if int(found) >> 32 == 0 and int(found) > 1:  # ::a.b.c.d, long withdrawn, still understood by some stacks
        inner.append(low)
    return [found, *inner]


def _open(address: IPv4Address | IPv6Address, *, loopback: bool, office: bool = False) -> bool:
    if address.is_loopback:
        return loopback
    if office and address not in _METADATA and any(address in net for net in _OFFICE if net.version == address.version):
        return True
    if address.is_multicast or address.is_reserved or address.is_unspecified or not address.is_global:
        return False
    if isinstance(address, IPv6Address) and (address.is_site_local or address in _NAT64_HERE):
        return False
    return not any(address in net for net in _CLOSED if net.version == address.version)


def resolve(host: str, port: int, *, loopback: bool, timeout: float, office: bool = False) -> list[str]:
    """Addresses of `host`, all of them checked, so that one good address cannot cover for a bad one.

    Raises Rejected when any may not be called, Unavailable when the name has none within `timeout` seconds.
    """
    found = [str(one[4][0]) for one in _lookup(host, port, timeout)]
    if not all(allowed(one, loopback=loopback, office=office) for one in found):
        raise Rejected(
            "the service's address lies inside a private network or on this machine",
            next_step="set allow_loopback: yes on the connection if it is meant to reach this machine",
        )
    return list(dict.fromkeys(found))


def _lookup(host: str, port: int, timeout: float) -> list[tuple[object, object, object, str, tuple[object, ...]]]:
    answer: list[object] = []

    def ask() -> None:
        try:
            answer.append(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            answer.append(error)

    # getaddrinfo knows no timeout: a dead name server would hold the call past its deadline.
    asking = threading.Thread(target=ask, daemon=True, name="look up a name")
    asking.start()
    asking.join(timeout)
    match answer:
        case [list() as found] if found:
            return found
        case [UnicodeError()]:
            raise Rejected("the service's host is no valid name", next_step="correct base_url")
        case _:
            raise Unavailable("the service's name has no address just now")
