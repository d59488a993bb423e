"""What the day's close reads of the books and keeps in them."""
