virtual_service "mail" {
  address = "10.13.0.200"
  port    = 25
  forward = "nat"
  check "smtp" {
    name = "a b" # ERROR: Invalid name
    expect { greeting = 199 } # ERROR: Invalid greeting
  }
  check "smtp" { # ERROR: Contradictory check
    expect { greeting = 554 }
    tls { starttls = true }
  }
  check "imap" { # ERROR: Missing password
    user = "lvsd"
  }
  check "pop3" { # ERROR: Missing user
    password_file = "/etc/lvsd/mail.password"
  }
  check "ftp" { # ERROR: No file
    expect { text = "well" }
  }
  check "ftp" {
    file = "pub/lvsd.txt" # ERROR: File without a user
  }
  check "ftp" { # ERROR: Missing password
    user = "lvsd"
    file = "pub/lvsd.txt"
  }
  check "nntp" {
    group = "comp lang" # ERROR: Invalid group
    tls { starttls = "yes" } # ERROR: Wrong type for starttls
  }
  real_server "192.168.1.4" {}
}
