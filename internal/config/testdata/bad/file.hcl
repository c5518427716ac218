virtual_router "outside" {
  interface = "eth0"
  id        = 50
  addresses = ["10.13.0.200/24"]
  track "file" "a" {  # ERROR: Missing path
    number = true
    weight = 1
  }
  track "file" "b" { path = "run/b" }  # ERROR: Relative path
  track "file" "c" {  # ERROR: Number without weight
    path   = "/run/c"
    number = true
  }
}
virtual_router "inside" {
  interface = "eth0"
  id        = 51
  addresses = ["10.13.0.201/24"]
  track "file" "load" { weight = -1 }
}
condition "file" "load" {
  path   = "/run/load"
  number = true
}
