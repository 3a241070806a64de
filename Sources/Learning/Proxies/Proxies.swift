import Layers
import Tensors

/// All proxies of a network.
package enum Proxies {
  /// Computes proxies; afterwards the network is unchanged.
  ///
  /// - Parameters:
  ///   - network: in its initial state, or any other.
  ///   - plain: the same network without shortcuts, for the Zen-scores; nil where there is none: then it is computed
  ///     with them.
  ///   - batches: one or more; ZiCo takes all, the others the first.
  ///   - chosen: which ones.
  ///   - random: random numbers for the Zen-scores.
  package static func evaluate(
    _ network: any Layer, plain: (any Layer)? = nil, batches: [Minibatch], chosen: [Proxy] = Proxy.standard,
    random: Random = Random(seed: 0), threads: Int
  ) -> ProxyValues {
    var values = ProxyValues()
    guard !batches.isEmpty else { return values }
    let fromGradients: Set<Proxy> = [.gradNorm, .snip, .fisher, .fisherPublished]
    let decided = fromGradients.union([.grasp, .jacobCov, .naswot])
    let probe = ProxyProbe(
      network: network, batches: batches, threads: threads, decides: !decided.isDisjoint(with: chosen))
    func set(_ proxy: Proxy, of network: any Layer, _ compute: () throws(ProxyRefusal) -> Double) {
      guard chosen.contains(proxy) else { return }
      values.set(proxy, network.unchanged { Result(catching: compute) })
    }
    if !fromGradients.isDisjoint(with: chosen) {
      let found = network.unchanged { probe.gradientProxies() }
      set(.gradNorm, of: network) { found.gradNorm }
      set(.snip, of: network) { found.snip }
      set(.fisher, of: network) { found.fisher }
      set(.fisherPublished, of: network) { found.fisherPublished }
    }
    set(.grasp, of: network, probe.grasp)
    set(.synflow, of: network, probe.synflow)
    set(.jacobCov, of: network, probe.jacobianCovariance)
    set(.naswot, of: network, probe.naswot)
    set(.zico, of: network, probe.zico)
    let bare = ProxyProbe(network: plain ?? network, batches: batches, threads: threads)
    set(.zen, of: bare.network) { () throws(ProxyRefusal) in try bare.zen(random: random) }
    set(.zenPublished, of: bare.network) { () throws(ProxyRefusal) in
      try bare.zen(draws: 32, published: true, random: random)
    }
    return values
  }
}
