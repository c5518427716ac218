virtual_router "outside" {
  interface = "eth0"
  id        = 50
  addresses = ["10.13.0.200/24"]
  track "exec" "a" { user = "nobody" }           # ERROR: Missing run # WARNING: No other user
  track "exec" "b" { run = ["gateway"] }         # ERROR: Not an absolute path
  track "exec" "c" { run = [] }                  # ERROR: No program
  track "exec" "d" { run = ["/etc/lvsd/hooks/absent"] }  # WARNING: Program cannot be run
  track "exec" "e" {
    run     = ["/etc/lvsd/hooks/notify"]
    initial = "down"  # ERROR: Unknown initial "down"
  }
}
