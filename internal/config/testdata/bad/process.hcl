virtual_router "outside" {
  interface = "eth0"
  id        = 50
  addresses = ["10.13.0.200/24"]
  track "process" "ntpd" {}
  track "process" "a" { program = "" }  # ERROR: Empty program
  track "process" "u" { owner = "a b" }   # ERROR: Invalid user
  track "process" "b" { minimum = 0 }   # ERROR: Nothing to watch
  track "process" "c" {
    minimum = 3
    maximum = 2  # ERROR: Invalid maximum
  }
}
