virtual_service "phones" {
  address  = "10.13.0.200"
  port     = 5060
  protocol = "udp"
  forward  = "nat"
  check "sip" {
    uri  = "example.org"           # ERROR: Invalid uri
    from = "sip:lvsd@<192.0.2.1>"  # ERROR: Invalid from
    expect { status = [] }         # ERROR: No status
  }
  check "sip" {
    transport = "udp" # ERROR: TLS by UDP
    tls {}
  }
  check "sip" {
    transport = "sctp"               # ERROR: Unknown transport "sctp"
    expect { status = [700] }        # ERROR: Invalid status
    via { proxy_protocol = "v2" }    # ERROR: Unknown argument "proxy_protocol"
  }
  check "ntp" {
    expect {
      stratum = 16    # ERROR: Invalid stratum
      offset  = "0s"  # ERROR: Invalid offset
    }
  }
  real_server "192.168.1.4" {}
}
