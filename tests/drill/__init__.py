"""`make drill`: a real archive under every fault that we can make, and the proof that nothing is lost."""
