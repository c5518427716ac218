virtual_service "cache" {
  address = "10.13.0.200"
  port    = 6379
  forward = "nat"
  check "redis" {
    user = "lvsd\n" # ERROR: Invalid user
    password_file = "hunter2" # ERROR: Invalid password_file
    role = "slave" # ERROR: Unknown role "slave"
  }
  check "redis" { # ERROR: Missing password
    user = "lvsd"
  }
  check "redis" {
    password_file       = "/etc/lvsd/redis.password"
    password_credential = "redis" # ERROR: Secret from two places
  }
  check "memcached" { # ERROR: Missing user
    password_credential = "memcached"
  }
  check "memcached" {
    user                = "lvsd"
    password_credential = "a b" # ERROR: Invalid credential
    role                = "master" # ERROR: Unused role
  }
  check "mysql" { # ERROR: Missing user
    query = "SELECT 1"
  }
  check "mysql" {
    user     = "lvsd"
    database = "a\nb" # ERROR: Invalid database
    query    = ""     # ERROR: Empty query
  }
  check "postgres" {
    expect { # ERROR: Expectation without query
      text = "1"
    }
  }
  check "ldap" {
    filter    = "uid=lvsd" # ERROR: Invalid filter
    attribute = "a\nb"     # ERROR: Invalid attribute
    scope     = "tree"     # ERROR: Unknown scope "tree"
  }
  check "ldap" {
    expect { # ERROR: Expectation without attribute
      text = "ready"
    }
  }
  check "radius" {} # ERROR: Missing secret
  check "radius" {
    secret_file       = "testing123" # ERROR: Invalid secret_file
    secret_credential = "radius"     # ERROR: Secret from two places
    answer            = "accept"     # ERROR: Answer without user
  }
  check "radius" {
    user              = "${join("", [for i in range(130) : "x"])}" # ERROR: Long user
    password_file     = "/etc/lvsd/radius.password"
    secret_credential = "radius"
  }
  real_server "192.168.1.4" {}
}
