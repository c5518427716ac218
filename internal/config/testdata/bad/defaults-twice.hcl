defaults {
  check "tcp" {}
}

defaults { # ERROR: Duplicate defaults block
  check "ping" {}
}
