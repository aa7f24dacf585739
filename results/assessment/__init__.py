"""What a host reaches of the service, by which way and how well."""
