"""The command `amt`: each command calls one public function and shows what it gives back."""
