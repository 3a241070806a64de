import Command

// A composed kernel, a sampling, and an algorithm: each in its own file, with what the built-in operators use.
// `own-kernel check` runs the conformance checker on them; anything else is the usual command.
ExperimentCommand.main(own: [Cross(), Reflected(), Columns()])
