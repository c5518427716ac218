locals {
  a = local.b  # ERROR: Circular local
  b = local.a
}
