// Verifies an evidence pack with code that shares nothing with Aether's: the note format and the
// Merkle proofs are those of golang.org/x/mod/sumdb/note and github.com/transparency-dev/merkle.
//
//	evidence PACK LOG_KEY_FILE
package main

import (
	"bufio"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"golang.org/x/mod/sumdb/note"
)

type file struct {
	Name   string `json:"name"`
	Sha256 string `json:"sha256"`
	Size   int64  `json:"size"`
	Rows   int    `json:"rows"`
}

type manifest struct {
	Format   string `json:"format"`
	Log      string `json:"log"`
	TreeSize string `json:"tree_size"`
	Rows     string `json:"rows"`
	Files    []file `json:"files"`
}

type consistency struct {
	Proof []string `json:"proof"`
}

type row struct {
	Index   uint64   `json:"index"`
	Content string   `json:"content"`
	Proof   []string `json:"proof"`
}

type checkpoint struct {
	origin string
	size   uint64
	root   []byte
}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: evidence PACK LOG_KEY_FILE")
		os.Exit(2)
	}
	told, err := verify(os.Args[1], os.Args[2])
	if err != nil {
		fmt.Fprintln(os.Stderr, "NOT VERIFIED:", err)
		os.Exit(1)
	}
	fmt.Println(told)
}

func verify(pack, keyFile string) (string, error) {
	key, err := os.ReadFile(keyFile)
	if err != nil {
		return "", err
	}
	verifier, err := note.NewVerifier(strings.TrimSpace(string(key)))
	if err != nil {
		return "", err
	}
	listed, err := openManifest(pack, verifier)
	if err != nil {
		return "", err
	}
	newest, err := openCheckpoint(filepath.Join(pack, "checkpoint"), verifier)
	if err != nil {
		return "", err
	}
	if listed.Log != newest.origin || listed.TreeSize != strconv.FormatUint(newest.size, 10) {
		return "", fmt.Errorf("the manifest speaks of another checkpoint")
	}
	rows, grown := 0, ""
	for _, one := range listed.Files {
		if err := checkFile(pack, one); err != nil {
			return "", err
		}
		if strings.HasPrefix(one.Name, "rows/") {
			found, err := checkRows(filepath.Join(pack, one.Name), newest)
			if err != nil {
				return "", fmt.Errorf("%s: %w", one.Name, err)
			}
			if found != one.Rows {
				return "", fmt.Errorf("%s has %d rows, not %d", one.Name, found, one.Rows)
			}
			rows += found
		}
		if one.Name == "consistency.json" {
			if grown, err = checkGrowth(pack, verifier, newest); err != nil {
				return "", err
			}
		}
	}
	if strconv.Itoa(rows) != listed.Rows {
		return "", fmt.Errorf("%d rows, and the manifest says %s", rows, listed.Rows)
	}
	return fmt.Sprintf("verified: %d rows of %s in a tree of %d%s", rows, newest.origin, newest.size, grown), nil
}

func openManifest(pack string, verifier note.Verifier) (*manifest, error) {
	content, err := os.ReadFile(filepath.Join(pack, "manifest.json"))
	if err != nil {
		return nil, err
	}
	signed, err := os.ReadFile(filepath.Join(pack, "manifest.note"))
	if err != nil {
		return nil, err
	}
	opened, err := note.Open(signed, note.VerifierList(verifier))
	if err != nil {
		return nil, fmt.Errorf("manifest.note: %w", err)
	}
	digest := sha256.Sum256(content)
	expected := verifier.Name() + "/evidence\n" + base64.StdEncoding.EncodeToString(digest[:]) + "\n"
	if opened.Text != expected {
		return nil, fmt.Errorf("manifest.json is not what was signed")
	}
	var listed manifest
	if err := json.Unmarshal(content, &listed); err != nil {
		return nil, err
	}
	if listed.Format != "aether-evidence/1" {
		return nil, fmt.Errorf("unknown format %q", listed.Format)
	}
	return &listed, nil
}

func openCheckpoint(path string, verifier note.Verifier) (*checkpoint, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	opened, err := note.Open(content, note.VerifierList(verifier))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Base(path), err)
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) < 4 {
		return nil, fmt.Errorf("%s is no checkpoint", filepath.Base(path))
	}
	size, err := strconv.ParseUint(lines[1], 10, 64)
	if err != nil {
		return nil, err
	}
	root, err := base64.StdEncoding.DecodeString(lines[2])
	if err != nil {
		return nil, err
	}
	return &checkpoint{lines[0], size, root}, nil
}

func checkFile(pack string, listed file) error {
	if strings.Contains(listed.Name, "..") || filepath.IsAbs(listed.Name) {
		return fmt.Errorf("the manifest names a file elsewhere: %q", listed.Name)
	}
	content, err := os.ReadFile(filepath.Join(pack, listed.Name))
	if err != nil {
		return err
	}
	digest := sha256.Sum256(content)
	if hex.EncodeToString(digest[:]) != listed.Sha256 || int64(len(content)) != listed.Size {
		return fmt.Errorf("%s is not what was signed", listed.Name)
	}
	return nil
}

func checkRows(path string, newest *checkpoint) (int, error) {
	opened, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer opened.Close()
	lines := bufio.NewScanner(opened)
	lines.Buffer(nil, 16<<20)
	count, last := 0, int64(-1)
	for lines.Scan() {
		var one row
		if err := json.Unmarshal(lines.Bytes(), &one); err != nil {
			return 0, err
		}
		if int64(one.Index) <= last {
			return 0, fmt.Errorf("row %d stands twice or out of order", one.Index)
		}
		last = int64(one.Index)
		content, err := base64.StdEncoding.DecodeString(one.Content)
		if err != nil {
			return 0, err
		}
		path, err := decoded(one.Proof)
		if err != nil {
			return 0, err
		}
		leaf := rfc6962.DefaultHasher.HashLeaf(content)
		if err := proof.VerifyInclusion(rfc6962.DefaultHasher, one.Index, newest.size, leaf, path, newest.root); err != nil {
			return 0, fmt.Errorf("row %d: %w", one.Index, err)
		}
		count++
	}
	return count, lines.Err()
}

func checkGrowth(pack string, verifier note.Verifier, newest *checkpoint) (string, error) {
	before, err := openCheckpoint(filepath.Join(pack, "previous-checkpoint"), verifier)
	if err != nil {
		return "", err
	}
	content, err := os.ReadFile(filepath.Join(pack, "consistency.json"))
	if err != nil {
		return "", err
	}
	var told consistency
	if err := json.Unmarshal(content, &told); err != nil {
		return "", err
	}
	path, err := decoded(told.Proof)
	if err != nil {
		return "", err
	}
	if err := proof.VerifyConsistency(rfc6962.DefaultHasher, before.size, newest.size, path, before.root, newest.root); err != nil {
		return "", fmt.Errorf("consistency: %w", err)
	}
	return fmt.Sprintf(", grown from %d", before.size), nil
}

func decoded(hashes []string) ([][]byte, error) {
	found := make([][]byte, 0, len(hashes))
	for _, one := range hashes {
		raw, err := base64.StdEncoding.DecodeString(one)
		if err != nil {
			return nil, err
		}
		found = append(found, raw)
	}
	return found, nil
}
