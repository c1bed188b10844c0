//! Names of link types, for messages; the numbers are those of the registry at tcpdump.org.

use crate::source::starts_with_ip;

/// The registered name in lower case, without its `LINKTYPE_`.
///
/// 12 and 14 are what some systems write for raw IP.
#[expect(clippy::too_many_lines, reason = "a table")]
pub fn name(link_type: u16) -> Option<&'static str> {
    Some(match link_type {
        0 => "null",
        1 => "ethernet",
        2 => "exp_ethernet",
        3 => "ax25",
        4 => "pronet",
        5 => "chaos",
        6 => "ieee802_5",
        7 => "arcnet_bsd",
        8 => "slip",
        9 => "ppp",
        10 => "fddi",
        12 | 14 | 101 => "raw",
        50 => "ppp_hdlc",
        51 => "ppp_ether",
        99 => "symantec_firewall",
        100 => "atm_rfc1483",
        102 => "slip_bsdos",
        103 => "ppp_bsdos",
        104 => "c_hdlc",
        105 => "ieee802_11",
        106 => "atm_clip",
        107 => "frelay",
        108 => "loop",
        109 => "enc",
        112 => "netbsd_hdlc",
        113 => "linux_sll",
        114 => "ltalk",
        115 => "econet",
        116 => "ipfilter",
        117 => "pflog",
        118 => "cisco_ios",
        119 => "ieee802_11_prism",
        120 => "ieee802_11_aironet",
        122 => "ip_over_fc",
        123 => "sunatm",
        127 => "ieee802_11_radiotap",
        128 => "tzsp",
        129 => "arcnet_linux",
        138 => "apple_ip_over_ieee1394",
        139 => "mtp2_with_phdr",
        140 => "mtp2",
        141 => "mtp3",
        142 => "sccp",
        143 => "docsis",
        144 => "linux_irda",
        147 => "user0",
        148 => "user1",
        149 => "user2",
        150 => "user3",
        151 => "user4",
        152 => "user5",
        153 => "user6",
        154 => "user7",
        155 => "user8",
        156 => "user9",
        157 => "user10",
        158 => "user11",
        159 => "user12",
        160 => "user13",
        161 => "user14",
        162 => "user15",
        163 => "ieee802_11_avs",
        165 => "bacnet_ms_tp",
        166 => "ppp_pppd",
        169 => "gprs_llc",
        170 => "gpf_t",
        171 => "gpf_f",
        177 => "linux_lapd",
        182 => "mfr",
        186 => "usb_freebsd",
        187 => "bluetooth_hci_h4",
        188 => "ieee802_16_mac_cps",
        189 => "usb_linux",
        190 => "can20b",
        192 => "ppi",
        195 => "ieee802_15_4_withfcs",
        196 => "sita",
        197 => "erf",
        199 => "ipmb_kontron",
        201 => "bluetooth_hci_h4_with_phdr",
        202 => "ax25_kiss",
        203 => "lapd",
        204 => "ppp_with_dir",
        205 => "c_hdlc_with_dir",
        206 => "frelay_with_dir",
        207 => "lapb_with_dir",
        209 => "ipmb_linux",
        210 => "flexray",
        212 => "lin",
        215 => "ieee802_15_4_nonask_phy",
        216 => "linux_evdev",
        217 => "gsmtap_um",
        218 => "gsmtap_abis",
        219 => "mpls",
        220 => "usb_linux_mmapped",
        221 => "dect",
        222 => "aos",
        223 => "wihart",
        224 => "fc_2",
        225 => "fc_2_with_frame_delims",
        226 => "ipnet",
        227 => "can_socketcan",
        228 => "ipv4",
        229 => "ipv6",
        230 => "ieee802_15_4_nofcs",
        231 => "dbus",
        235 => "dvb_ci",
        236 => "mux27010",
        237 => "stanag_5066_d_pdu",
        239 => "nflog",
        240 => "netanalyzer",
        241 => "netanalyzer_transparent",
        242 => "ipoib",
        243 => "mpeg_2_ts",
        244 => "ng40",
        245 => "nfc_llcp",
        247 => "infiniband",
        248 => "sctp",
        249 => "usbpcap",
        250 => "rtac_serial",
        251 => "bluetooth_le_ll",
        252 => "wireshark_upper_pdu",
        253 => "netlink",
        254 => "bluetooth_linux_monitor",
        255 => "bluetooth_bredr_bb",
        256 => "bluetooth_le_ll_with_phdr",
        257 => "profibus_dl",
        258 => "pktap",
        259 => "epon",
        260 => "ipmi_hpm_2",
        261 => "zwave_r1_r2",
        262 => "zwave_r3",
        263 => "wattstopper_dlm",
        264 => "iso_14443",
        265 => "rds",
        266 => "usb_darwin",
        267 => "openflow",
        268 => "sdlc",
        270 => "loratap",
        271 => "vsock",
        272 => "nordic_ble",
        273 => "docsis31_xra31",
        274 => "ethernet_mpacket",
        275 => "displayport_aux",
        276 => "linux_sll2",
        277 => "sercos_monitor",
        278 => "openvizsla",
        279 => "ebhscr",
        280 => "vpp_dispatch",
        281 => "dsa_tag_brcm",
        282 => "dsa_tag_brcm_prepend",
        283 => "ieee802_15_4_tap",
        284 => "dsa_tag_dsa",
        285 => "dsa_tag_edsa",
        286 => "elee",
        287 => "z_wave_serial",
        288 => "usb_2_0",
        289 => "atsc_alp",
        _ => return None,
    })
}

/// Of what a packet socket hands over for a device of this hardware type (ARPHRD_ number); 147, `user0`, where none is
/// registered.
pub fn of_hardware(arphrd: u16) -> u16 {
    match (starts_with_ip(arphrd), arphrd) {
        (Some(false), _) => 1,
        (Some(true), _) => 101,
        (None, 280) => 227, // CAN
        (None, 801) => 105, // 802.11
        (None, 802) => 119, // Prism
        (None, 803) => 127, // radiotap
        (None, 804) => 230, // 802.15.4, without FCS
        (None, 824) => 253, // netlink
        (None, 826) => 271, // vsock
        (None, _) => 147,
    }
}

const DBUS: u16 = 231;
const USBPCAP: u16 = 249;
const EBHSCR: u16 = 279;

/// The longest capture of one packet that is believed.
///
/// Longer ones are damage for libpcap and Wireshark too, whatever the snaplen says: a wrong length field must not swallow
/// the rest of the file. Three links carry longer messages.
pub(crate) fn max_cap_len(link_type: u16) -> u32 {
    match link_type {
        DBUS | USBPCAP => 16 * 1024 * 1024 - 64,
        EBHSCR => 8 * 1024 * 1024,
        _ => 256 * 1024,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_link_types_have_their_registered_names() {
        for (number, expected) in [
            (0, "null"),
            (1, "ethernet"),
            (101, "raw"),
            (113, "linux_sll"),
            (127, "ieee802_11_radiotap"),
            (239, "nflog"),
            (276, "linux_sll2"),
        ] {
            assert_eq!(name(number), Some(expected), "{number}");
        }
    }

    #[test]
    fn unregistered_numbers_have_no_name() {
        assert_eq!(name(11), None);
        assert_eq!(name(u16::MAX), None);
    }
}
