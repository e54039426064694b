//! Scenarios of the blue/green controller, played against a real API server.
