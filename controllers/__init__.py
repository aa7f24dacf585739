"""What the perimeters allow."""
