import Command
import Kernels

ExperimentCommand.main(kernels: .builtIn)
