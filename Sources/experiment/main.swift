import Kernels
import Layers
import Learning
import Networks
import Tensors
import Dispatch
import Foundation
let registry = KernelRegistry.builtIn
let data = try Dataset.load("digits")
let items = CommandLine.arguments[1].split(separator: ",").map(String.init)
let rate = CommandLine.arguments.count > 2 ? Double(CommandLine.arguments[2])! : 0.1
let batch = CommandLine.arguments.count > 3 ? Int(CommandLine.arguments[3])! : 32
let eta = CommandLine.arguments.count > 4 ? Double(CommandLine.arguments[4])! : 0.2
let start = ContinuousClock.now
nonisolated(unsafe) var lines: [Int: String] = [:]
let lock = NSLock()
DispatchQueue.concurrentPerform(iterations: items.count * 3) { job in
  let item = items[job / 3], seed = UInt64(job % 3)
  let d = try! Models.description("bottleneck20", inputChannels: 1, classes: 10)
  let network = try! ResidualNetwork(d, kernel: registry.choice(item), standard: registry.choice("standard"), seed: seed)
  let t0 = ContinuousClock.now
  var accs: [Double] = []
  var last = 0.0
  try? Training.train(network, on: data, Recipe(epochs: 15, batch: batch, schedule: Schedule(rate: rate, warmUp: 0.05), optimizer: .init(momentum: 0.9, nesterov: true, weightDecay: 5e-4, adderRate: eta)), seed: seed, threads: 1) { accs.append($0.testTop1); last = $0.trainLoss }
  lock.lock()
  lines[job] = "\(item) \(seed) \(network.parameterCount) \((ContinuousClock.now - t0).seconds) loss \(last) \(accs.map { String(format: "%.1f", $0) })"
  lock.unlock()
}
for k in lines.keys.sorted() { print(lines[k]!) }
print((ContinuousClock.now - start).seconds)
