import re


def test_the_card_names_every_source_with_its_size_and_hash(build):
    folder, manifest = build(dna=["*.fa"], text=["english.txt"])
    card = (folder / "README.md").read_text()
    for name, source in manifest["counts"]["sources"].items():
        size = source["bases"] if source["kind"] == "dna" else source["characters"]
        row = next(line for line in card.splitlines() if line.startswith(f"| {name} |"))
        assert f" {size:,} |" in row
        assert manifest["inputs"][name]["sha256"].startswith(re.search(r"`([0-9a-f]{16})`", row)[1])


def test_the_card_says_what_each_split_holds_of_each_kind(build):
    folder, manifest = build(dna=["*.fa"], text=["english.txt"], dna_share=0.6)
    card = (folder / "README.md").read_text()
    for split in ("train", "validation"):
        dna, text = manifest["counts"][split]["dna"], manifest["counts"][split]["text"]
        share = dna["characters"] / (dna["characters"] + text["characters"])
        assert f"| {split} | DNA | {dna['documents']:,} | {dna['characters']:,} | - | {share:.1%} |" in card
        assert f"| {split} | English | {text['documents']:,} | {text['characters']:,} | {text['words']:,} |" in card


def test_words_and_soft_masked_bases_are_counted(raw, build):
    _, manifest = build(dna=["*.fa"], text=["english.txt"], dna_share=0)
    counts = manifest["counts"]
    words = sum(counts[split]["text"]["words"] for split in ("train", "validation"))
    assert words == len((raw / "english.txt").read_text().split())
    lines = (raw / "genome.fa").read_text().splitlines()
    lower = sum(letter.islower() for line in lines if line[0] != ">" for letter in line)
    assert counts["sources"]["genome.fa"]["lower_case_bases"] == lower


def test_the_card_says_what_was_left_out_and_why(build):
    folder, manifest = build(dna=["genome.fa"], held_out_records=["chr3"])
    card = (folder / "README.md").read_text()
    source = manifest["counts"]["sources"]["genome.fa"]
    for key, words in (("held_out_bases", "in records held out"), ("n_bases_dropped", "N, or")):
        assert re.search(rf"- {source[key]:,} bases \([\d.]+%\) {words}", card)
