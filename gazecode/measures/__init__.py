"""What a scan path says of itself: measures over tokens and the saccades between them."""
