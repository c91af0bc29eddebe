"""Real resolvers on their way through us: a module per make writes its configuration and starts it."""
