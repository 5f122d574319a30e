import Web

/// A part of a whole that is named, so that no percentage stands without its base.
struct Rate: Sendable, Equatable {
    let count: Int
    let base: Int
    /// What the base counts: `delivered`.
    let baseName: String

    /// Nil where there is nothing to compare with.
    var share: Double? { base > 0 ? Double(count) / Double(base) : nil }

    /// `4.1 %`, or a dash.
    var percent: String { share.map(NumberWords.percent) ?? "—" }

    /// `of 10,312 delivered`.
    var of: String { "of \(NumberWords.grouped(base)) \(baseName)" }

    /// `4.1 % of 10,312 delivered`; only the base where there is none.
    var words: String {
        share == nil ? "None \(baseName) yet" : "\(percent) \(of)"
    }
}
