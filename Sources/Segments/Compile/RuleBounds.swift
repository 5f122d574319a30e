import FoundationEssentials
import Web

/// A stretch of days, both ends included; an end that is nil is open.
struct DayBounds: Equatable {
    var first: Day?
    var last: Day?

    /// Nil for comparisons that are no stretch.
    init?(_ comparison: RuleOperator, _ value: RuleValue, _ clock: RuleClock) {
        switch (comparison, value) {
        case (.equals, .point(.day(let day))): self.init(day, day)
        case (.before, .point(.day(let day))): self.init(nil, day.adding(-1))
        case (.after, .point(.day(let day))): self.init(day.adding(1), nil)
        case (.between, .points(.day(let first), .day(let last))): self.init(first, last)
        case (.inLast, .days(let days)): self.init(clock.first(ofLast: days), clock.today)
        case (.inNext, .days(let days)): self.init(clock.today, clock.last(ofNext: days))
        case (.olderThan, .days(let days)): self.init(nil, clock.today.adding(-days - 1))
        default: return nil
        }
    }

    private init(_ first: Day?, _ last: Day?) {
        self.first = first
        self.last = last
    }
}

/// A stretch of time; an end that is nil is open.
struct MomentBounds: Equatable {
    var from: Date?
    var isFromIncluded = true
    var to: Date?
    var isToIncluded = false

    /// Nil for comparisons that are no stretch.
    init?(_ comparison: RuleOperator, _ value: RuleValue, _ clock: RuleClock) {
        switch (comparison, value) {
        case (.equals, .point(let point)): take(from: point, clock); take(to: point, clock)
        case (.before, .point(.day(let day))): to = clock.start(of: day)
        case (.before, .point(.moment(let moment))): to = moment
        case (.after, .point(.day(let day))): from = clock.start(of: day.adding(1))
        case (.after, .point(.moment(let moment))):
            from = moment
            isFromIncluded = false
        case (.between, .points(let first, let last)): take(from: first, clock); take(to: last, clock)
        case (.inLast, .days(let days)):
            from = clock.start(of: clock.first(ofLast: days))
            to = clock.nextMidnight
        case (.inNext, .days(let days)):
            from = clock.start(of: clock.today)
            to = clock.start(of: clock.last(ofNext: days).adding(1))
        case (.olderThan, .days(let days)): to = clock.start(of: clock.today.adding(-days))
        default: return nil
        }
    }

    /// The time within which a behaviour counts. The last days have no end: late clocks of host products do no harm.
    init(_ window: RuleBehaviour.Window, _ clock: RuleClock) {
        switch window {
        case .lastDays(let days): from = clock.start(of: clock.first(ofLast: days))
        case .days(let first, let last):
            from = clock.start(of: first)
            to = clock.start(of: last.adding(1))
        }
    }

    private mutating func take(from point: RulePoint, _ clock: RuleClock) {
        switch point {
        case .day(let day): from = clock.start(of: day)
        case .moment(let moment): from = moment
        }
    }

    private mutating func take(to point: RulePoint, _ clock: RuleClock) {
        switch point {
        case .day(let day): to = clock.start(of: day.adding(1))
        case .moment(let moment):
            to = moment
            isToIncluded = true
        }
    }

    func contains(_ moment: Date) -> Bool {
        if let from, moment < from || (moment == from && !isFromIncluded) { return false }
        if let to, moment > to || (moment == to && !isToIncluded) { return false }
        return true
    }

    /// As stored moments of properties are written, which sort as texts: `2026-03-31T09:30:00Z`.
    static func text(_ moment: Date) -> String {
        String(ISO8601.format(moment).prefix(19)) + "Z"
    }
}
