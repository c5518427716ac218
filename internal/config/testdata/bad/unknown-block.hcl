virtual_servise "web" {  # ERROR: Unknown block "virtual_servise"
}
