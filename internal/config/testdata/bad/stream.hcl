virtual_router "outside" {
  interface = "eth0"
  id        = 51
  addresses = ["10.13.0.200/24"]
  stream "all" { run = ["/etc/lvsd/hooks/absent"] } # WARNING: Program cannot be run
}

stream "all" { # ERROR: Duplicate stream "all"
  run          = ["/etc/lvsd/hooks/collect"]
  stop_timeout = "1m"  # ERROR: Invalid stop_timeout
  timeout      = "10s" # ERROR: Unknown argument "timeout"
}

stream "fifo" { run = ["collect"] } # ERROR: Not an absolute path

stream "nothing" {} # ERROR: Missing run
