"""What ``qrun-equiv bench`` measures: layers, circuits, and the device's own ceilings."""
