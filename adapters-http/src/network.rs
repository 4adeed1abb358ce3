//! The network that an address belongs to.

use std::net::IpAddr;

use ipnet::IpNet;

/// Returns the network that an address belongs to: the address itself with IPv4, the /64 prefix with IPv6, because one
/// household or machine usually has a whole /64.
pub(crate) fn network_of(ip: IpAddr) -> IpNet {
    let ip = ip.to_canonical();
    let length = if ip.is_ipv4() { 32 } else { 64 };
    IpNet::new_assert(ip, length).trunc()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_is_an_ipv4_address_or_64_bits_of_ipv6() {
        let of = |text: &str| network_of(text.parse().unwrap());
        assert_eq!(of("2001:db8:1:2:3:4:5:6"), of("2001:db8:1:2::1"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
        assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
    }
}
