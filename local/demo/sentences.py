"""The texts of the demo: sentences composed from word lists, one memory text, one chain of reasoning.

Everything here was written for this project. Composition is deterministic: a slot's word is chosen by a SHA-256 of
its position, so no random generator's version matters. `FIT` and `HELD_OUT` have subjects, word lists and templates of
their own and share only the expressions of time and manner: a map that merely memorised its fit set would show it.
"""

import hashlib

ATTEMPTS_PER_SENTENCE_MAX = 2

# subject: people; things; past-tense verbs; places; outcomes
FIT = {
    "kitchen": (
        "the cook; a baker; my grandmother; the apprentice; our host",
        "bread; onion soup; a lemon tart; roasted peppers; the stock; pancakes; a jar of pickles; rye dough",
        "tasted; salted; burned; reheated; served; spoiled",
        "in the narrow kitchen; at the market stall; beside the oven; in a school canteen",
        "the guests asked for more; nobody finished the plate; the smoke alarm rang; lunch was late",
    ),
    "sea": (
        "the captain; a diver; two fishermen; the harbour pilot; the crew",
        "the nets; an old anchor; the sails; a broken rudder; the lifeboat; a chart; the mooring lines; barnacles",
        "hauled in; repaired; lost; inspected; untangled; painted",
        "off the northern coast; in the harbour; near the reef; under the lighthouse",
        "the tide turned early; the storm passed to the south; the ferry had to wait; the radio went silent",
    ),
    "law": (
        "the judge; a young lawyer; the witness; the tenant; the prosecutor",
        "the contract; an appeal; a sealed letter; the verdict; the lease; three exhibits; a patent; the testimony",
        "read aloud; disputed; signed; withdrew; dismissed; copied",
        "in the district court; at the notary's office; during the hearing; before the tribunal",
        "the case was adjourned; both parties agreed to settle; the fine was halved; the jury asked for time",
    ),
    "medicine": (
        "the nurse; a surgeon; the patient; an anaesthetist; the pharmacist",
        "the dressing; a blood sample; the prescription; an x-ray; the fever chart; a vaccine; the stitches; insulin",
        "checked; changed; ordered; misplaced; administered; recorded",
        "on the third ward; in the emergency room; at the clinic; after midnight rounds",
        "the pain faded by morning; the doctor was called back; the infection did not spread; recovery took weeks",
    ),
    "astronomy": (
        "the astronomer; a night observer; the probe's team; an amateur; the physicist",
        "a faint comet; the spectrum; Saturn's rings; a pulsar; the mirror; the orbit; solar flares; a dust cloud",
        "measured; photographed; recalculated; discovered; calibrated; tracked",
        "from the desert observatory; above the atmosphere; through a small telescope; on a moonless night",
        "the signal repeated every second; clouds ended the session; the model fitted at last; the data took years",
    ),
    "programming": (
        "the engineer; a new intern; the maintainer; the release manager; a tester",
        "the parser; a memory leak; the build script; an index; the retry loop; unit tests; a race; the scheduler",
        "rewrote; profiled; reverted; documented; merged; debugged",
        "in the staging cluster; on a Friday evening; behind a feature flag; inside the container",
        "latency fell by half; the pipeline turned green; the outage lasted an hour; users noticed nothing",
    ),
    "farming": (
        "the farmer; a shepherd; the beekeeper; her neighbours; the vet",
        "the barley; a lame ewe; six hives; the fences; potatoes; the irrigation pump; apple trees; hay bales",
        "harvested; mended; sold; watered; counted; pruned",
        "on the upper pasture; behind the barn; along the river; in the greenhouse",
        "frost came in May; the yield doubled; rain ruined the path; the price of grain collapsed",
    ),
    "music": (
        "the violinist; a jazz trio; the conductor; our choir; the drummer",
        "the second movement; an old waltz; the solo; a lullaby; the overture; harmonies; a cracked cymbal; the score",
        "rehearsed; improvised; recorded; transposed; hummed; forgot",
        "in the concert hall; at a smoky club; during the encore; in the church loft",
        "the audience stood up; one string snapped; the critics were kind; silence filled the room",
    ),
    "finance": (
        "the accountant; an investor; the bank; a regulator; the treasurer",
        "the bonds; a mortgage; quarterly profits; the pension fund; the audit; currency swaps; tax relief; a loan",
        "audited; refinanced; overstated; sold off; approved; hedged",
        "in the annual report; on the exchange; before the quarter closed; at head office",
        "shares dropped four percent; the debt was repaid; interest rates rose; the board resigned",
    ),
    "football": (
        "the goalkeeper; a substitute; the coach; the home team; the referee",
        "a penalty; the final; an early goal; the free kick; a yellow card; the league title; the derby; the pass",
        "missed; won; conceded; protested; saved; celebrated",
        "in extra time; at the packed stadium; in pouring rain; before the break",
        "the fans sang all night; the match ended level; the season was over; the captain limped off",
    ),
    "history": (
        "the emperor; a chronicler; the rebels; the archaeologists; the queen's envoy",
        "the treaty; a walled city; bronze coins; the archive; a royal tomb; the old road; the siege; clay tablets",
        "destroyed; unearthed; described; abandoned; rebuilt; translated",
        "in the ninth century; beneath the palace; along the frontier; after the plague",
        "the dynasty fell within a year; trade moved to the coast; no record survives; peace held for decades",
    ),
    "weather": (
        "the forecaster; the villagers; a storm chaser; the rescue team; the pilot",
        "the hailstorm; heavy snow; a heat wave; the flood; thick fog; the drought; strong gusts; a rainbow",
        "predicted; survived; reported; underestimated; filmed; feared",
        "across the valley; over the mountain pass; throughout August; near the border",
        "the roads stayed closed; the river burst its banks; the temperature fell sharply; the sky cleared by noon",
    ),
    "school": (
        "the teacher; a shy pupil; the headmaster; the whole class; a tutor",
        "fractions; the essay; a science project; the timetable; spelling rules; homework; the poem; a quiz",
        "explained; corrected; handed in; postponed; practised; memorised",
        "in the first lesson; at the blackboard; after the holidays; in the library",
        "everyone laughed; the marks improved; the bell rang too soon; the parents were invited",
    ),
    "railway": (
        "the conductor of the train; a commuter; the signalman; the mechanics; a ticket clerk",
        "the night train; a faulty brake; the timetable board; the tunnel; the carriage; new rails; a seat; the points",
        "delayed; tested; announced; reserved; replaced; missed by a minute",
        "at platform nine; between two stations; in the depot; on the mountain line",
        "passengers slept in the hall; the connection was lost; service resumed at dawn; the driver apologised",
    ),
    "painting": (
        "the painter; a collector; the restorer; the gallery; an art student",
        "a portrait; the fresco; watercolours; a stolen sketch; the frame; a still life; blue pigment; the mural",
        "restored; auctioned; copied in secret; exhibited; varnished; sketched",
        "in a bright studio; at the museum; on the chapel wall; during the fair",
        "the colours glowed again; the forgery was exposed; the price shocked everyone; visitors queued outside",
    ),
    "biology": (
        "the biologist; a field team; the zookeeper; two students; the ecologist",
        "a rare orchid; wolf tracks; bacteria; the nest; frog eggs; coral samples; a fossil; migrating cranes",
        "collected; tagged; observed; cultured; misidentified; protected",
        "in the wetland; under the microscope; deep in the forest; on a remote island",
        "the population recovered; the species was new; the colony died out; the results were published",
    ),
    "housing": (
        "the landlord; a plumber; the architect; our upstairs neighbour; the carpenter",
        "the roof; a leaking pipe; oak floorboards; the staircase; the heating; a balcony; the wiring; double windows",
        "fixed; measured twice; insulated; demolished; designed; complained about",
        "in the old apartment; on the top floor; in the cellar; across the courtyard",
        "the bill tripled; the rooms stayed warm; dust covered everything; the permit was refused",
    ),
    "politics": (
        "the minister; an opposition deputy; the mayor; the union; a journalist",
        "the budget; a new tax; the referendum; the speech; migration rules; the coalition; a scandal; the reform",
        "defended; leaked; blocked; negotiated; promised; criticised",
        "in parliament; at the press conference; before the election; on live television",
        "the vote was close; protests filled the square; the bill passed; trust kept falling",
    ),
}

HELD_OUT = {
    "chess": (
        "the grandmaster; a ten-year-old prodigy; her opponent; the arbiter; the club president",
        "a pawn; the endgame; the queen sacrifice; a drawn position; the opening; his clock; castling; the bishop pair",
        "calculated; blundered; analysed; offered; studied; declined",
        "on board one; with seconds left; at the olympiad; in a simultaneous exhibition",
        "black resigned quietly; the rating list changed; spectators gasped; the trophy went abroad",
    ),
    "textiles": (
        "the weaver; a tailor; the dye master; the seamstress; the mill owner",
        "indigo cloth; a torn sleeve; linen thread; the loom; wool blankets; silk lining; brass buttons; the hem",
        "wove; stitched; bleached; ironed; folded; dyed",
        "at the workshop bench; in the cotton mill; for the wedding; at the bazaar",
        "the pattern became famous; the fabric shrank; orders poured in; the needle broke",
    ),
    "mountaineering": (
        "the climber; a sherpa; the expedition doctor; the rope team; a solo hiker",
        "the summit ridge; fixed ropes; crampons; a crevasse; base camp; the ice axe; the icefall; an oxygen bottle",
        "crossed; reached; dropped; secured; marked; avoided",
        "above eight thousand metres; on the west face; in the death zone; at first light",
        "an avalanche cut the route; frostbite took two toes; they turned around; the view was endless",
    ),
    "cinema": (
        "the director; an unknown actress; the screenwriter; the projectionist; a film critic",
        "the closing scene; a silent western; the subtitles; the trailer; a stunt; the soundtrack; close-ups; "
        "the sequel",
        "filmed; dubbed; cut; reviewed; premiered; imagined",
        "on a tiny set; at the festival; in black and white; at the drive-in",
        "the studio went bankrupt; ticket sales soared; the ending puzzled viewers; a star was born",
    ),
    "geology": (
        "the geologist; a mining crew; the volcanologist; the surveyors; a mineral dealer",
        "basalt columns; a quartz vein; the fault; lava flows; core samples; sandstone; an uncut emerald; "
        "the seismograph",
        "mapped; drilled; dated; weighed; photocopied; excavated",
        "inside the caldera; two kilometres down; along the canyon; on the lava plateau",
        "the ground shook again; the seam was exhausted; the ash grounded flights; the rock was older than expected",
    ),
    "parenting": (
        "the toddler; a tired father; the babysitter; her twin sister; the midwife",
        "the cradle; a wooden giraffe; bedtime stories; wet mittens; the pram; a lost tooth; finger paints; the nap",
        "hugged; hid; dropped on purpose; outgrew; invented; begged for",
        "in the playground; at three in the morning; under the blanket; on the first birthday",
        "the crying stopped; giggles filled the hallway; breakfast ended on the floor; the photograph came out blurred",
    ),
}

TIMES = (
    "yesterday; last winter; every Tuesday; long ago; this morning; once again; for years; in the end; "
    "without warning; almost immediately"
)
MANNERS = (
    "carefully; with some hesitation; against all advice; in a hurry; almost by accident; with great skill; "
    "rather badly; for the second time; without help; as planned"
)

FIT_TEMPLATES = (
    "{Person} {verb} {thing} {place}.",
    "{Time}, {person} {verb} {thing}, and {outcome}.",
    "{Person} {verb} {thing} {manner}.",
    "Why was it that {person} {verb} {thing} {place}?",
    "{Outcome} because {person} {verb} {thing}.",
    "{Person} said that {outcome}.",
    "Although {outcome}, {person} {manner} {verb} {thing} {place}.",
    "{Thing}: that is what {person} {verb} {time}.",
    "It was {person}, not {other}, who {verb} {thing}.",
    "When {person} {verb} {thing} {place}, {outcome}.",
    "{Place}, {person} {manner} {verb} {thing} and {second}.",
    "Nobody believed {person} after {outcome}.",
)
HELD_OUT_TEMPLATES = (
    "{Person} and {other} {verb} {thing} {place}.",
    "{Outcome}; even so, {person} {verb} {thing} {manner}.",
    "What {person} {verb} {time} was {thing}.",
    "If {person} had not {verb} {thing}, would it be true that {outcome}?",
    "They tell how {person}, {place}, {manner} {verb} {thing}.",
    "{Time} {outcome}, so {other} {verb} {second}.",
)

MEMORY_TEXT = (
    "The release waits until Thursday. Two workers picked up the same invoice, because the lease was shorter than the "
    "slowest payment call. We lengthened the lease, added a fencing token, and wrote a test that runs the job twice at "
    "once. Support still has to tell the customer what changed."
)

# description of the step, text that is embedded, confidence, parents
CHAIN_STEPS = (
    (
        "state the problem",
        "A warehouse ships 240 parcels a day and each van carries 32 parcels. How many vans are needed?",
        1.0,
        (),
    ),
    (
        "recall the operation",
        "The number of vans is the number of parcels divided by the parcels per van, rounded up.",
        0.98,
        (0,),
    ),
    (
        "divide",
        "240 divided by 32 is 7.5, so seven full vans leave half a van of parcels behind.",
        0.97,
        (0, 1),
    ),
    (
        "round up",
        "A van cannot be halved, therefore eight vans are needed on an ordinary day.",
        0.96,
        (2,),
    ),
    (
        "consider a constraint",
        "On Mondays the warehouse ships a quarter more, which is 300 parcels.",
        0.9,
        (0,),
    ),
    (
        "repeat for the constraint",
        "300 divided by 32 is 9.375, so a Monday needs ten vans.",
        0.93,
        (1, 4),
    ),
    (
        "check by multiplication",
        "Ten vans carry 320 parcels, which is enough for 300; nine would carry only 288.",
        0.97,
        (5,),
    ),
    (
        "conclude",
        "Hire eight vans for the week and two more on Mondays.",
        0.95,
        (3, 6),
    ),
)


def compose(subjects: dict, templates: tuple, per_subject: int) -> list[str]:
    """`per_subject` distinct sentences of each subject, in a fixed order."""
    sentences = []
    for subject, lists in subjects.items():
        attempts = range(ATTEMPTS_PER_SENTENCE_MAX * per_subject)
        # A dict keeps the order and drops repetitions.
        found = list(dict.fromkeys(compose_one(f"{subject}/{attempt}", lists, templates) for attempt in attempts))
        if len(found) < per_subject:
            raise ValueError(f"the word lists of {subject} do not give {per_subject} sentences")
        sentences += found[:per_subject]
    return sentences


def compose_one(seed: str, lists: tuple, templates: tuple) -> str:
    people, things, verbs, places, outcomes = (text.split("; ") for text in lists)
    person, other = pick_two(people, f"{seed}/person")
    thing, second = pick_two(things, f"{seed}/thing")
    slots = {
        "person": person,
        "other": other,
        "thing": thing,
        "second": second,
        "verb": pick(verbs, f"{seed}/verb"),
        "place": pick(places, f"{seed}/place"),
        "outcome": pick(outcomes, f"{seed}/outcome"),
        "time": pick(TIMES.split("; "), f"{seed}/time"),
        "manner": pick(MANNERS.split("; "), f"{seed}/manner"),
    }
    capitalised = {name.capitalize(): text[0].upper() + text[1:] for name, text in slots.items()}
    return pick(templates, f"{seed}/template").format(**slots, **capitalised)


def pick(words, seed: str):
    digest = hashlib.sha256(seed.encode()).digest()
    return words[int.from_bytes(digest[:8], "big") % len(words)]


def pick_two(words: list, seed: str) -> tuple:
    first = pick(words, f"{seed}/first")
    return first, pick([word for word in words if word != first], f"{seed}/second")
