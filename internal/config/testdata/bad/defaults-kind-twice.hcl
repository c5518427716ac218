defaults {
  check "tcp" {}
  check "tcp" { rise = 1 } # ERROR: Duplicate check "tcp"
}
