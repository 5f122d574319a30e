/// A vertical axis from zero to a round number, with a few round steps.
struct ChartScale: Sendable, Equatable {
    let top: Int
    let step: Int

    /// - Parameters:
    ///   - maximum: the greatest value to be shown.
    ///   - steps: about how many steps the axis should have.
    init(maximum: Int, steps: Int = 4) {
        let wanted: Int = max(1, maximum)
        var magnitude: Int = 1
        var step: Int = 1
        search: while true {
            for factor in [1, 2, 5] {
                step = factor * magnitude
                if step * steps >= wanted { break search }
            }
            magnitude *= 10
        }
        self.step = step
        top = (wanted + step - 1) / step * step
    }

    /// The values that get a line, from zero upwards.
    var ticks: [Int] { Array(stride(from: 0, through: top, by: step)) }

    /// How far up the axis a value stands, 0 to 1.
    func share(_ value: Int) -> Double { Double(value) / Double(top) }
}

/// A length in the units of the drawing, with at most two decimals: `12.5`.
func coordinate(_ value: Double) -> String {
    let hundredths = Int((value * 100).rounded())
    let whole: Int = hundredths / 100
    let rest: Int = abs(hundredths % 100)
    let sign: String = hundredths < 0 && whole == 0 ? "-" : ""
    if rest == 0 { return "\(sign)\(whole)" }
    return rest % 10 == 0 ? "\(sign)\(whole).\(rest / 10)" : "\(sign)\(whole).\(rest < 10 ? "0" : "")\(rest)"
}
