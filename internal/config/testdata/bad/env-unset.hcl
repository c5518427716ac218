virtual_router "outside" {
  interface = env.OUTSIDE  # ERROR: Environment variable OUTSIDE is not set
  id        = 51
  addresses = ["10.13.0.200/24"]
}
