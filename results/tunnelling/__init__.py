"""What went through a tunnel or past it: WireGuard's packets and the rules of VPN media."""
