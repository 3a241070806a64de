extension Recipe {
  /// The recipe in the words of the command line, for a record's name: as long as these words mean the same, so does
  /// the name.
  package var definition: [String: String] {
    var result = [
      "epochs": "\(epochs)", "batch": "\(batch)", "rate": "\(schedule.rate)", "warm-up": "\(schedule.warmUp)",
      "smoothing": "\(smoothing)", "augment": augments ? "on" : "off", "shuffle": shuffles ? "on" : "off",
    ]
    switch schedule.rule {
    case .constant: result["schedule"] = "constant"
    case .cosine: result["schedule"] = "cosine"
    case .step(let shares, let factor):
      result["schedule"] = "step"
      result["milestones"] = shares.map { "\($0)" }.joined(separator: ",")
      result["factor"] = "\(factor)"
    }
    switch optimizer {
    case .sgd(let options):
      result["optimizer"] = "sgd"
      result["momentum"] = "\(options.momentum)"
      result["nesterov"] = options.nesterov ? "on" : "off"
      result["weight-decay"] = "\(options.weightDecay)"
      result["adder-rate"] = "\(options.adderRate)"
    case .adam(let options):
      result["optimizer"] = options.isDecoupled ? "adamw" : "adam"
      result["betas"] = "\(options.beta1),\(options.beta2)"
      result["epsilon"] = "\(options.epsilon)"
      result["weight-decay"] = "\(options.weightDecay)"
      result["adder-rate"] = "\(options.adderRate)"
    }
    // Records from before it could be chosen have no such entry, and no such targets.
    if standardizesTargets { result["targets"] = "standardised" }
    if let patience { result["patience"] = "\(patience)" }
    return result.merging(["recipe": "1"]) { $1 }
  }

  /// The recipe in a saved training, which only the same recipe may resume. Optimiser and schedule are written as the
  /// first versions happened to print them, so that their files can still be resumed. Where the rate is constant,
  /// nothing depends on the number of epochs.
  package var savedDefinition: [String: String] {
    let rule =
      switch schedule.rule {
      case .constant: "Learning.Schedule.Rule.constant"
      case .cosine: "Learning.Schedule.Rule.cosine"
      case .step(let shares, let factor): "Learning.Schedule.Rule.step(at: \(shares), factor: \(factor))"
      }
    let method =
      switch optimizer {
      case .sgd(let o):
        "sgd(Learning.SGD.Options(momentum: \(o.momentum), nesterov: \(o.nesterov), weightDecay: \(o.weightDecay), adderRate: \(o.adderRate)))"
      case .adam(let o):
        "adam(Learning.Adam.Options(beta1: \(o.beta1), beta2: \(o.beta2), epsilon: \(o.epsilon), weightDecay: \(o.weightDecay), isDecoupled: \(o.isDecoupled), adderRate: \(o.adderRate)))"
      }
    var result = [
      "epochs": schedule.rule == .constant && schedule.warmUp == 0 ? "any" : "\(epochs)", "batch": "\(batch)",
      "optimizer": method,
      "schedule": "Schedule(rate: \(schedule.rate), rule: \(rule), warmUp: \(schedule.warmUp))",
      "smoothing": "\(smoothing)", "augment": augments ? "on" : "off", "shuffle": shuffles ? "on" : "off",
    ]
    if standardizesTargets { result["targets"] = "standardised" }
    if let patience { result["patience"] = "\(patience)" }
    return result
  }
}
