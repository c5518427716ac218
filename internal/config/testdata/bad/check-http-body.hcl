virtual_service "web" {
  address = "10.13.0.200"
  port    = 80
  forward = "nat"
  check "http" {
    version          = "1.0" # ERROR: Unknown version "1.0"
    follow_redirects = 11 # ERROR: Invalid follow_redirects
    send             = "" # ERROR: Invalid send
    expect {
      body      = "ok"
      text      = "ok" # ERROR: Text and body
      not       = "("  # ERROR: Invalid not
      md5       = "d41d8cd98f00b204e9800998ecf8427e" # ERROR: Two digests
      sha256    = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
      min_bytes = 10 # ERROR: Sizes reversed
      max_bytes = 9
      headers   = { Via = "(" } # ERROR: Invalid header
    }
  }
  check "http" {
    method = "HEAD"
    expect {
      sha256 = "e3b0c442" # ERROR: Invalid sha256
      not    = "error"    # ERROR: Body of HEAD
    }
  }
  check "http" {
    expect { md5 = "none" } # ERROR: Invalid md5
  }
  real_server "192.168.1.4" {}
}
