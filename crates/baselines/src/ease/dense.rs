//! The exact solution: the inverse of a symmetric positive definite matrix, in place.

use crate::Error;
use crate::cooccurrence::{Row, squares};
use crate::log::Log;
use ingle_kernel::product::{Matrix, add_product, transpose};
use nalgebra::{Cholesky, DMatrix};
use rayon::prelude::*;

/// Rows and columns of a tile.
pub(crate) const TILE: usize = 128;

/// The weights between all pairs of items.
#[derive(Debug)]
pub struct Dense {
    /// Items with training clicks.
    items: Vec<u32>,
    /// Position of each item among them.
    positions: Vec<Option<usize>>,
    /// `-P` with a diagonal of 0.
    inverse: Square,
    /// `1 / P_jj`, by position.
    scale: Vec<f32>,
}

impl Dense {
    pub(super) fn fit(log: &Log, ridge: f64) -> Result<Self, Error> {
        let squares = squares(log);
        let items: Vec<u32> = (1..=log.items() as u32)
            .filter(|&item| squares[item as usize] > 0.0)
            .collect();
        let mut positions = vec![None; log.items() + 1];
        for (position, &item) in items.iter().enumerate() {
            positions[item as usize] = Some(position);
        }
        let mut inverse = Symmetric::of(items.len(), |row, block| {
            let mut sums = Row::new(log);
            for (at, &item) in items[row.clone()].iter().enumerate() {
                for (other, sum) in sums.of(log, item) {
                    let column = positions[other as usize].expect("an item that is clicked");
                    block(at, column, sum as f32);
                }
                block(at, row.start + at, (squares[item as usize] + ridge) as f32);
            }
        });
        inverse.negate_inverse().ok_or(Error::Singular { ridge })?;
        let scale = (0..items.len()).map(|at| -1.0 / inverse.take_diagonal(at));
        let scale: Vec<f32> = scale.collect();
        Ok(Self {
            items,
            positions,
            inverse: inverse.into_square(),
            scale,
        })
    }

    pub(super) fn score(&self, history: &[(u32, f32)], scores: &mut [f32]) {
        let mut sums = vec![0.0; self.inverse.padded()];
        for &(item, weight) in history {
            if let Some(position) = self.positions[item as usize] {
                self.inverse.add_row(position, weight, &mut sums);
            }
        }
        for ((&item, sum), scale) in self.items.iter().zip(sums).zip(&self.scale) {
            scores[item as usize] = sum * scale;
        }
    }
}

/// A symmetric matrix: the tiles of its lower half, each row by row. Rows below the last are those of the identity.
#[derive(Debug)]
struct Symmetric {
    rows: usize,
    /// Tile `(i, j)`, `j <= i`, at `i · (i + 1) / 2 + j`.
    tiles: Vec<Vec<f32>>,
}

/// The place of a tile of the lower half.
fn place(row: usize, column: usize) -> usize {
    row * (row + 1) / 2 + column
}

/// The row and column of the tile at a place.
fn tile_at(place: usize) -> (usize, usize) {
    let mut row = ((2.0 * place as f64 + 0.25).sqrt() - 0.5) as usize;
    while (row + 1) * (row + 2) / 2 <= place {
        row += 1;
    }
    while row * (row + 1) / 2 > place {
        row -= 1;
    }
    (row, place - row * (row + 1) / 2)
}

impl Symmetric {
    /// A matrix of `rows` rows. `fill` is asked for a range of rows, and calls its second parameter with a row of the
    /// range, counted from its start, a column and a value. Values above the diagonal are ignored.
    fn of(
        rows: usize,
        fill: impl Fn(std::ops::Range<usize>, &mut dyn FnMut(usize, usize, f32)) + Sync,
    ) -> Self {
        let blocks = rows.div_ceil(TILE);
        let of_block = |block: usize| {
            let mut tiles = vec![vec![0.0; TILE * TILE]; block + 1];
            let range = block * TILE..rows.min((block + 1) * TILE);
            for below in range.len()..TILE {
                tiles[block][below * TILE + below] = 1.0;
            }
            fill(range, &mut |row, column, value| {
                if let Some(tile) = tiles.get_mut(column / TILE) {
                    tile[row * TILE + column % TILE] = value;
                }
            });
            // The tile of the diagonal has both halves.
            let diagonal = &mut tiles[block];
            for row in 0..TILE {
                for column in 0..row {
                    diagonal[column * TILE + row] = diagonal[row * TILE + column];
                }
            }
            tiles
        };
        let tiles: Vec<Vec<Vec<f32>>> = (0..blocks).into_par_iter().map(of_block).collect();
        let tiles = tiles.into_iter().flatten().collect();
        Self { rows, tiles }
    }

    fn blocks(&self) -> usize {
        self.rows.div_ceil(TILE)
    }

    /// Replaces the matrix by the negative of its inverse; `None` if it is not positive definite. The diagonal blocks
    /// are swept one after the other (Beaton, 1964): with pivot block `k` and `P = A_kk⁻¹`,
    /// `A_ij -= A_ik · P · A_kj`, then `A_ik = A_ik · P` and `A_kk = -P`. It takes `n³` operations, nearly all in
    /// products of tiles, on all cores, in an order that does not depend on their number.
    fn negate_inverse(&mut self) -> Option<()> {
        for pivot in 0..self.blocks() {
            self.sweep(pivot)?;
        }
        Some(())
    }

    fn sweep(&mut self, pivot: usize) -> Option<()> {
        let inverted = invert(&self.tiles[place(pivot, pivot)])?;
        // `A_ik`, its transpose and `A_ik · P` of every block row `i`.
        let panels: Vec<[Vec<f32>; 2]> = (0..self.blocks())
            .into_par_iter()
            .map(|row| {
                if row == pivot {
                    return [Vec::new(), Vec::new()];
                }
                let (row, column) = (row.max(pivot), row.min(pivot));
                let tile = &self.tiles[place(row, column)];
                let turned = turn(tile);
                let (own, turned) = if column == pivot {
                    (tile.clone(), turned)
                } else {
                    (turned, tile.clone())
                };
                let mut scaled = vec![0.0; TILE * TILE];
                add_product(Matrix::new(&own, TILE), &inverted, &mut scaled);
                [turned, scaled]
            })
            .collect();
        let negative: Vec<Vec<f32>> = (panels.par_iter())
            .map(|[_, scaled]| scaled.iter().map(|value| -value).collect())
            .collect();
        self.tiles
            .par_iter_mut()
            .enumerate()
            .for_each(|(at, tile)| {
                let (row, column) = tile_at(at);
                if row == pivot && column == pivot {
                    for (value, inverse) in tile.iter_mut().zip(&inverted) {
                        *value = -inverse;
                    }
                } else if column == pivot {
                    tile.copy_from_slice(&panels[row][1]);
                } else if row == pivot {
                    tile.copy_from_slice(&turn(&panels[column][1]));
                } else {
                    add_product(Matrix::new(&negative[row], TILE), &panels[column][0], tile);
                }
            });
        Some(())
    }

    /// A value of the diagonal, which becomes 0.
    fn take_diagonal(&mut self, at: usize) -> f32 {
        let block = at / TILE;
        let tile = &mut self.tiles[place(block, block)];
        std::mem::take(&mut tile[at % TILE * (TILE + 1)])
    }

    /// Both halves, which doubles the memory: rows are read without a step then.
    fn into_square(mut self) -> Square {
        let blocks = self.blocks();
        let upper: Vec<Vec<f32>> = (0..blocks * blocks)
            .into_par_iter()
            .map(|at| (at / blocks, at % blocks))
            .map(|(row, column)| {
                if column > row {
                    turn(&self.tiles[place(column, row)])
                } else {
                    Vec::new()
                }
            })
            .collect();
        let mut tiles = upper;
        for row in 0..blocks {
            for column in 0..=row {
                tiles[row * blocks + column] = std::mem::take(&mut self.tiles[place(row, column)]);
            }
        }
        Square { blocks, tiles }
    }
}

/// A square matrix by tiles, each row by row.
#[derive(Debug)]
struct Square {
    /// Rows and columns of tiles.
    blocks: usize,
    tiles: Vec<Vec<f32>>,
}

impl Square {
    /// Rows with those that fill the last tile.
    fn padded(&self) -> usize {
        self.blocks * TILE
    }

    /// Adds a row times `factor` to `sums`, which has a value for each padded row.
    fn add_row(&self, at: usize, factor: f32, sums: &mut [f32]) {
        let tiles = &self.tiles[at / TILE * self.blocks..][..self.blocks];
        for (tile, sums) in tiles.iter().zip(sums.chunks_exact_mut(TILE)) {
            let row = &tile[at % TILE * TILE..][..TILE];
            for (sum, value) in sums.iter_mut().zip(row) {
                *sum += factor * value;
            }
        }
    }
}

/// The transpose of a tile.
fn turn(tile: &[f32]) -> Vec<f32> {
    let mut turned = vec![0.0; tile.len()];
    transpose(Matrix::new(tile, TILE), &mut turned);
    turned
}

/// The inverse of a symmetric positive definite tile, in floats of 64 bits.
fn invert(tile: &[f32]) -> Option<Vec<f32>> {
    let matrix = DMatrix::from_iterator(TILE, TILE, tile.iter().map(|&value| f64::from(value)));
    let inverse = Cholesky::new(matrix)?.inverse();
    let inverse: Vec<f32> = inverse.iter().map(|&value| value as f32).collect();
    inverse
        .iter()
        .all(|value| value.is_finite())
        .then_some(inverse)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_are_found_by_their_place() {
        let mut due = 0;
        for row in 0..300 {
            for column in 0..=row {
                assert_eq!(place(row, column), due);
                assert_eq!(tile_at(due), (row, column));
                due += 1;
            }
        }
    }

    #[test]
    fn a_matrix_that_is_not_positive_definite_is_refused() {
        let mut matrix = Symmetric::of(2, |rows, block| {
            for at in 0..rows.len() {
                block(at, 0, 1.0);
                block(at, 1, 1.0);
            }
        });
        assert_eq!(matrix.negate_inverse(), None);
    }
}
